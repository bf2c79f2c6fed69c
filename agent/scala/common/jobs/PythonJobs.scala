package livius.agent

import java.io.IOException
import java.nio.charset.StandardCharsets.UTF_8
import java.util.concurrent.{ConcurrentHashMap, TimeoutException}

import scala.collection.mutable
import scala.concurrent.{Await, Promise}
import scala.concurrent.duration._

import com.fasterxml.jackson.databind.JsonNode

/** Runs jobs in the session's Python interpreter. The first job starts it if necessary. */
final class PythonJobs(interpreters: Interpreters) extends JobRunner {

  private val running = new ConcurrentHashMap[Int, Starting]()

  override def run(job: Int, group: String, payload: Array[Byte]): JobResult = {
    val starting = new Starting
    running.put(job, starting)
    try interpreters.python(starting).run(job, group, payload, () => !starting.isGivenUp)
    catch {
      case _: InterpreterUnavailable if starting.isGivenUp => ChildJobs.notBegun
      case unavailable: InterpreterUnavailable => ChildJobs.failed(s"Fail to start interpreter: ${unavailable.getMessage}")
    } finally running.remove(job): Unit
  }

  /** A job whose Python is being started is over at once. Running code is interrupted repeatedly.
    * Code that ignores interrupts runs to its end, because its process holds the user's variables.
    */
  override def cancel(job: Int): Unit = {
    Option(running.get(job)).foreach(_.giveUp())
    interpreters.alivePython.foreach(_.cancelJob(job))
  }
}

/** The jobs of one Python process, and their connection. */
private[agent] final class ChildJobs(kind: String, process: ChildProcess, channel: ChildChannel) {

  import ChildJobs._

  private val sending = new Object
  private val jobs = mutable.Map.empty[Int, Promise[JobResult]]
  private val additions = mutable.Map.empty[String, Promise[Option[String]]]
  private var ended: Option[JobResult] = None

  Threads.daemon(s"$kind-jobs")(hear())

  /** Runs one job to its end. */
  def run(job: Int, group: String, payload: Array[Byte], wanted: () => Boolean): JobResult = {
    val result = expected(job)
    sending.synchronized {
      if (wanted()) send(Json.write(Json.obj().put("job", job).put("group", group)).getBytes(UTF_8), payload)
      else end(job, notBegun)
    }
    Await.result(result.future, Duration.Inf)
  }

  /** Asks a job to stop, if it is there. */
  def cancel(job: Int): Unit = if (synchronized(jobs.contains(job))) sending.synchronized {
    send(Json.write(Json.obj().put("cancel", job)).getBytes(UTF_8))
  }

  /** Makes a file importable. Returns the reason if Python refuses it. */
  def addLibrary(path: String): Option[String] = {
    val added = Promise[Option[String]]()
    synchronized { if (ended.isEmpty) additions.put(path, added) else added.success(None) }
    sending.synchronized(send(Json.write(Json.obj().put("library", path)).getBytes(UTF_8)))
    try Await.result(added.future, LibraryPatience)
    catch {
      case _: TimeoutException =>
        Log.line(s"$kind: its code holds it up, so that $path can be imported a little later only")
        None
    }
  }

  private def expected(job: Int): Promise[JobResult] = synchronized {
    val result = Promise[JobResult]()
    ended match {
      case Some(died) => result.success(died)
      case None => jobs.put(job, result): Unit
    }
    result
  }

  private def end(job: Int, result: JobResult): Unit = synchronized(jobs.remove(job)).foreach(_.trySuccess(result))

  // If a frame cannot be sent, the connection has ended, and all jobs with it.
  private def send(frames: Array[Byte]*): Unit =
    try frames.foreach(channel.send) catch { case _: IOException => channel.close() }

  private def hear(): Unit =
    try while (true) accept(Json.mapper.readTree(channel.receive()))
    catch { case _: IOException => }
    finally endAll()

  private def accept(head: JsonNode): Unit =
    if (head.has("log")) Log.line(s"$kind ${head.path("log").asText}")
    else if (head.has("added")) {
      val refused = Option(head.path("error")).filter(_.isTextual).map(_.asText)
      synchronized(additions.remove(head.path("added").asText)).foreach(_.trySuccess(refused))
    } else {
      val body = channel.receive()
      end(head.path("done").asInt,
        if (head.path("ok").asBoolean) JobResult.Ok(Some(body)) else JobResult.Failed(new String(body, UTF_8)))
    }

  private def endAll(): Unit = {
    process.awaitExit(ExitPatienceMs)
    val died = if (process.alive) cutOff(kind) else ChildJobs.died(kind, process.ending)
    synchronized {
      ended = Some(died)
      jobs.values.foreach(_.trySuccess(died))
      jobs.clear()
      // A new process will have them.
      additions.values.foreach(_.trySuccess(None))
      additions.clear()
    }
  }
}

private[agent] object ChildJobs {

  private val ExitPatienceMs = 1000L
  private val LibraryPatience = 30.seconds

  /** The result of a job whose interpreter died. */
  def died(kind: String, ending: String): JobResult = failed(s"Interpreter died: $ending.\n" +
    s"The variables of the $kind interpreter and the objects that jobs shared are lost. " +
    "The next job or statement starts a new one, on the same Spark context.")

  /** As `died`, for an interpreter that lives on because statements may still need its variables.
    */
  private def cutOff(kind: String): JobResult = failed(
    s"the $kind interpreter runs no jobs any more, as its code has closed a connection that is not its own. " +
      "The statement 'import os; os._exit(0)' ends it, with its variables, and the next job starts a new one")

  def notBegun: JobResult = failed("it was cancelled before it began")

  /** A failure in the words that Livy's clients know. */
  def failed(why: String): JobResult = JobResult.Failed(s"Client job error:\n$why")
}
