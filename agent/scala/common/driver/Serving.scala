package livius.agent

import java.io.File

import scala.util.{Failure, Success}

import com.fasterxml.jackson.databind.JsonNode
import org.apache.spark.SparkConf
import org.apache.spark.sql.SparkSession

/** The part of a driver that serves sessions: the SparkContext, and the sessions on it. */
final class Serving(settings: Settings, home: File, outbox: Outbox, link: Link, events: Events) {

  private val conf = new SparkConf()
  private val spark = new SharedSpark
  private val classes = new ReplClasses(conf, home)
  private val jobs = new SparkJobs
  private val context = new ContextWatch(spark, jobs, () => isBusy, adopt, why => events.contextStopped(why))
  private val only =
    new SessionHost(id = None, settings, SharedParts(spark, context, jobs, classes), new SessionEvents(None, outbox, link))
  private val hosts = Map(only.id -> only)

  /** The SparkSession, once the server knows of it. */
  @volatile private var served: Option[SparkSession] = None

  /** Creates the SparkContext and the first interpreter, and tells the server. The interpreter's part
    * runs on the statement thread at the same time.
    */
  def bringUp(): Either[StartFailed, Unit] = {
    only.start()
    Attempt(SparkStart.session(conf)) match {
      case Failure(error) => Left(StartFailed("context", error))
      case Success(session) =>
        take(session)
        events.contextUp(session.sparkContext.applicationId, session.sparkContext.uiWebUrl)
        only.awaitFirstInterpreter() match {
          case Failure(error) => Left(StartFailed("interpreter", error))
          case Success(_) => Right(serve(session))
        }
    }
  }

  def session: Option[SparkSession] = spark.now

  /** The SparkSession of a driver that is ready. */
  def ready: Option[SparkSession] = served.flatMap(_ => spark.now)

  def command(frame: JsonNode): Unit = {
    val session = Frames.session(frame)
    hosts.get(session) match {
      case Some(host) => host.command(frame)
      case None => Log.line(s"the server named session ${session.mkString}, which this driver does not have")
    }
  }

  def work: Seq[SessionWork] = hosts.values.toSeq.map(_.work)

  def close(): Unit = {
    context.close()
    hosts.values.foreach(_.close())
  }

  private def serve(session: SparkSession): Unit = {
    only.rehearse()
    served = Some(session)
    tellReady(session)
    context.start()
  }

  private def take(session: SparkSession): Unit = {
    classes.jars.watch(session.sparkContext)
    spark.set(session)
    jobs.watch()
  }

  // The server shows the facts of the newest context.
  private def adopt(session: SparkSession): Unit = {
    take(session)
    tellReady(session)
  }

  private def isBusy: Boolean = hosts.values.exists(_.isBusy)

  private def tellReady(session: SparkSession): Unit = {
    val context = session.sparkContext
    events.ready(context.applicationId, context.uiWebUrl, context.sparkUser, context.master)
  }
}

/** The reason why a driver cannot serve. The phase is one of the protocol's. */
final case class StartFailed(phase: String, error: Throwable)
