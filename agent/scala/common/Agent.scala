package livius.agent

import java.io.File

import scala.util.{Failure, Success}

import com.fasterxml.jackson.databind.JsonNode
import org.apache.spark.SparkConf
import org.apache.spark.sql.SparkSession

/** One driver's agent: puts the parts together, brings them up, and hands the server's commands to
  * the session that they name.
  */
final class Agent(settings: Settings, home: File) extends Receiver {

  private val conf = new SparkConf()
  private val spark = new SharedSpark
  private val outbox = new Outbox(settings.unacknowledgedBytes)
  private val link = new Link(settings, outbox, this)
  private val events = new Events(outbox, () => link.wake())
  private val classes = new ReplClasses(conf, home)
  private val jobs = new SparkJobs
  private val context = new ContextWatch(spark, jobs, () => isBusy, adopt, why => events.contextStopped(why))
  private val only =
    new SessionHost(id = None, settings, SharedParts(spark, context, jobs, classes), new SessionEvents(None, outbox, link))
  private val hosts = Map(only.id -> only)
  private val shutdown = new Shutdown(conf, events, () => hosts.values.foreach(_.close()), link, () => spark.now)

  /** Runs until the driver is to end. Returns only where the cluster manager wants its main method
    * to return.
    */
  def run(): Unit = {
    link.start()
    only.start()
    bringUp()
    shutdown.await()
  }

  // The interpreter's part runs on the statement thread at the same time.
  private def bringUp(): Unit = Attempt(SparkStart.session(conf)) match {
    case Failure(error) => shutdown.failed("context", error)
    case Success(session) =>
      take(session)
      only.awaitFirstInterpreter() match {
        case Failure(error) => shutdown.failed("interpreter", error)
        case Success(_) =>
          ready(session)
          context.start()
      }
  }

  private def take(session: SparkSession): Unit = {
    classes.jars.watch(session.sparkContext)
    spark.set(session)
    jobs.watch()
  }

  // The server shows the facts of the newest context.
  private def adopt(session: SparkSession): Unit = {
    take(session)
    ready(session)
  }

  private def isBusy: Boolean = hosts.values.exists(_.isBusy)

  private def ready(session: SparkSession): Unit = {
    val context = session.sparkContext
    events.ready(context.applicationId, context.uiWebUrl, context.sparkUser, context.master)
  }

  override def command(frame: JsonNode): Unit =
    if (frame.path("type").asText == "stop") shutdown.stop("stopped by the server")
    else {
      val session = Frames.session(frame)
      hosts.get(session) match {
        case Some(host) => host.command(frame)
        case None => Log.line(s"the server named session ${session.mkString}, which this driver does not have")
      }
    }

  override def work: Seq[SessionWork] = hosts.values.toSeq.map(_.work)

  override def abandoned(why: String): Unit = shutdown.abandon(why)
}
