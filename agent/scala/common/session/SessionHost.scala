package livius.agent

import scala.concurrent.{Await, Promise}
import scala.concurrent.duration.Duration
import scala.util.Try

import com.fasterxml.jackson.databind.JsonNode

/** One session in this driver: its interpreters, statements, jobs and files. The sessions of a
  * driver share the SparkSession, the class path and the link.
  *
  * @param id none for the driver's only session
  */
final class SessionHost(val id: Option[Int], settings: Settings, shared: SharedParts, events: SessionEvents) {

  import shared.{classes, context, jobs => sparkJobs, spark}

  private val groups = new JobGroups(id)
  private val firstInterpreter = Promise[Unit]()
  private val interpreters = new Interpreters(settings, () => spark.await, classes, groups)
  private val cancellation = new Cancellation(settings, sparkJobs)
  private val live = new LiveOutput(events)
  private val statements = new Statements(interpreters, sparkJobs, groups, events, cancellation, context, live)
  private val resources = new Resources(
    new SessionFiles(() => spark.await.sparkContext, classes.jars, interpreters.addPythonLibrary, new ResourceDownload(settings)),
    events)
  private val jobs = new Jobs(
    Map("jvm" -> new JvmJobs(() => spark.await, classes, settings), "python" -> new PythonJobs(interpreters)),
    sparkJobs, groups, events, cancellation, settings.outputBytes, spark, () => interpreters.isClosed)
  private val completions = new Completions(interpreters, statements, events)
  private val rehearsal = new Rehearsal(interpreters, () => spark.await.sparkContext, settings.kind)
  private val progress = new ProgressReports(statements, interpreters, sparkJobs, events)

  /** Starts the threads. The statement thread first starts the interpreter of the session's kind, and
    * then runs its lessons.
    */
  def start(): Unit = {
    resources.start()
    live.start()
    statements.start(prepare())
    progress.start()
  }

  /** Waits until that interpreter is up, or has failed. */
  def awaitFirstInterpreter(): Try[Unit] = Await.ready(firstInterpreter.future, Duration.Inf).value.get

  /** Runs the kind's lessons, if the driver is to be warm. Returns when they are over, or take too
    * long.
    */
  def rehearse(): Unit = if (settings.start == Settings.Warm) rehearsal.await()

  def command(frame: JsonNode): Unit = frame.path("type").asText match {
    case "run" => statements.submit(Statement(
      frame.path("statement").asInt, frame.path("kind").asText, frame.path("code").asText, after = resources.soFar))
    case "cancel" => statements.cancel(frame.path("statement").asInt, frame.path("force").asBoolean)
    case "complete" =>
      completions.answer(frame.path("request"), frame.path("kind").asText, frame.path("code").asText, frame.path("cursor").asInt)
    case "resource" => resources.submit(Resource(
      frame.path("resource").asInt, frame.path("use").asText == "library", frame.path("name").asText,
      Option(frame.path("uri")).filter(_.isTextual).map(_.asText)))
    case "job" => jobs.submit(JobOrder(
      frame.path("job").asInt, frame.path("language").asText, frame.path("payload").asText, after = resources.soFar))
    case "cancelJob" => jobs.cancel(frame.path("job").asInt, frame.path("force").asBoolean)
    case _ => ()
  }

  def work: SessionWork = {
    val (active, queued) = statements.unfinished
    SessionWork(id, active, queued, jobs.unfinished, interpreters.running)
  }

  /** Tells whether code of the session runs. */
  def isBusy: Boolean = statements.running.nonEmpty || jobs.isBusy

  def close(): Unit = interpreters.close()

  private def prepare(): Unit = {
    val started = Attempt(startFirst())
    firstInterpreter.complete(started)
    if (settings.start == Settings.Warm && started.isSuccess) rehearsal.run()
  }

  private def startFirst(): Unit = if (settings.kind != "shared") interpreters.ready(settings.kind): Unit
}
