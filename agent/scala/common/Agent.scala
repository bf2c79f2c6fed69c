package livius.agent

import java.io.File

import scala.concurrent.{Await, Promise}
import scala.concurrent.duration.Duration
import scala.util.{Failure, Success, Try}

import com.fasterxml.jackson.databind.JsonNode
import org.apache.spark.SparkConf
import org.apache.spark.sql.SparkSession

/** One driver's agent: puts the parts together, brings them up, and acts on the server's commands. */
final class Agent(settings: Settings, home: File) extends Receiver {

  private val conf = new SparkConf()
  private val session = Promise[SparkSession]()
  private val firstInterpreter = Promise[Unit]()
  private val sessionIsThere = new Gate

  private val outbox = new Outbox(settings.unacknowledgedBytes)
  private val link = new Link(settings, outbox, this)
  private val events = new Events(outbox, () => link.wake())
  private val classes = new ReplClasses(conf, home)
  private val interpreters = new Interpreters(settings, () => awaited, classes)
  private val sparkJobs = new SparkJobs(() => session.future.value.flatMap(_.toOption).map(_.sparkContext))
  private val cancellation = new Cancellation(settings, sparkJobs)
  private val statements = new Statements(interpreters, sparkJobs, events, cancellation)
  private val resources = new Resources(
    new SessionFiles(() => awaited.sparkContext, classes.jars, interpreters.addPythonLibrary, new ResourceDownload(settings)), events)
  private val jobs = new Jobs(
    Map("jvm" -> new JvmJobs(() => awaited, classes, settings), "python" -> new PythonJobs(interpreters)),
    sparkJobs, events, cancellation, settings, sessionIsThere, () => interpreters.isClosed)
  private val completions = new Completions(interpreters, statements, link)
  private val shutdown = new Shutdown(conf, events, interpreters, link, () => session.future.value.flatMap(_.toOption))

  /** Runs until the driver is to end. Returns only where the cluster manager wants its main method to return. */
  def run(): Unit = {
    link.start()
    resources.start()
    statements.start(firstInterpreter.complete(attempt(startFirst())))
    bringUp()
    shutdown.await()
  }

  private def awaited: SparkSession = Await.result(session.future, Duration.Inf)

  private def startFirst(): Unit = if (settings.kind != "shared") interpreters.ready(settings.kind): Unit

  // The interpreter's part runs on the statement thread meanwhile.
  private def bringUp(): Unit = attempt(SparkStart.session(conf)) match {
    case Failure(error) => shutdown.failed("context", error)
    case Success(spark) =>
      classes.jars.watch(spark.sparkContext)
      session.success(spark)
      sessionIsThere.open()
      Await.ready(firstInterpreter.future, Duration.Inf).value.get match {
        case Failure(error) => shutdown.failed("interpreter", error)
        case Success(_) => serve(spark)
      }
  }

  // Try lets linkage errors through, and those are what a wrong class path gives.
  private def attempt[A](body: => A): Try[A] = try Success(body) catch { case error: Throwable => Failure(error) }

  private def serve(spark: SparkSession): Unit = {
    val context = spark.sparkContext
    new ProgressReports(statements, sparkJobs, link).start()
    events.ready(context.applicationId, context.uiWebUrl, context.sparkUser, context.master)
  }

  override def command(frame: JsonNode): Unit = frame.path("type").asText match {
    case "run" => statements.submit(Statement(
      frame.path("statement").asInt, frame.path("kind").asText, frame.path("code").asText, after = resources.soFar))
    case "cancel" => statements.cancel(frame.path("statement").asInt)
    case "complete" =>
      completions.answer(frame.path("request"), frame.path("kind").asText, frame.path("code").asText, frame.path("cursor").asInt)
    case "resource" => resources.submit(Resource(
      frame.path("resource").asInt, frame.path("use").asText == "library", frame.path("name").asText,
      Option(frame.path("uri")).filter(_.isTextual).map(_.asText)))
    case "job" => jobs.submit(JobOrder(
      frame.path("job").asInt, frame.path("language").asText, frame.path("payload").asText, after = resources.soFar))
    case "cancelJob" => jobs.cancel(frame.path("job").asInt)
    case "stop" => shutdown.stop("stopped by the server")
    case _ => ()
  }

  override def abandoned(why: String): Unit = shutdown.abandon(why)
}
