package livius.agent

import java.io.IOException
import java.util.concurrent.atomic.AtomicReference

import com.fasterxml.jackson.databind.JsonNode
import com.fasterxml.jackson.core.JsonProcessingException
import org.apache.spark.sql.SparkSession

/** Python, in a process of its own that shares this JVM's Spark session through PySpark.
  *
  * @param libraries the added files that its code can import from
  */
final class PythonInterpreter(
    val kind: String, executable: String, session: () => SparkSession, settings: Settings, groups: JobGroups,
    libraries: () => Seq[String])
    extends Interpreter {

  @volatile private var python: Option[PythonChild] = None
  @volatile private var starting: Option[Child] = None
  // How an earlier process ended, until a statement tells the user.
  private val loss = new AtomicReference(Option.empty[String])

  override def alive: Boolean = python.exists(_.child.alive)

  override def start(): Unit = {
    python.foreach { dead =>
      Log.line(s"the $kind interpreter is started again: ${dead.child.process.ending}")
      dead.child.untoldEnding.foreach(ending => loss.set(Some(ending)))
    }
    close()
    try furnish(new PythonChild(kind, executable, session, settings, groups, child => starting = Some(child)))
    finally starting = None
  }

  /** Runs one job, at the same time as statements and other jobs.
    *
    * @param wanted whether it is still to be run, asked at the last moment
    */
  def run(job: Int, group: String, payload: Array[Byte], wanted: () => Boolean): JobResult =
    python.fold(ChildJobs.died(kind, "it was not started"))(_.jobs.run(job, group, payload, wanted))

  def cancelJob(job: Int): Unit = python.foreach(_.jobs.cancel(job))

  /** Adds a file that the running process can import from. Returns the reason if Python refuses it.
    */
  def addLibrary(path: String): Option[String] = synchronized(python.flatMap(_.jobs.addLibrary(path)))

  /** Adds all libraries to a new process before other threads see the process. */
  private def furnish(made: PythonChild): Unit = synchronized {
    for (path <- libraries(); refused <- made.jobs.addLibrary(path)) Log.line(s"$kind cannot import from $path: $refused")
    python = Some(made)
  }

  override def abortStart(): Unit = starting.foreach(_.abort())

  override def execute(statement: Int, code: String, live: LiveStreams): Result =
    loss.getAndSet(None).map(Child.diedBefore(kind, _)).getOrElse {
      python match {
        case Some(running) => result(statement, running, running.run(statement, code, live))
        case None => Child.died(kind, "it was not started", "")
      }
    }

  override def rehearse(code: String): Unit = for (running <- python; reply <- running.rehearse(code).reply) {
    val error = Json.mapper.readTree(reply).path("error")
    if (!error.isMissingNode) throw new IllegalArgumentException(s"${error.path("ename").asText}: ${error.path("evalue").asText}")
  }

  override def interrupt(): Unit = python.foreach(_.child.interrupt())

  override def kill(): Boolean = {
    python.foreach(_.child.kill())
    true
  }

  override def complete(code: String, cursor: Int): Seq[String] = python.filterNot(_.child.busy).fold(Seq.empty[String]) { idle =>
    val before = code.substring(0, math.max(0, math.min(cursor, code.length)))
    try idle.complete(before) catch { case _: IOException => Nil }
  }

  override def close(): Unit = {
    abortStart()
    python.foreach(_.close())
    python = None
  }

  private def result(statement: Int, running: PythonChild, ran: Ran): Result =
    ran.reply match {
      case Some(reply) =>
        try PythonReply.result(statement, Json.mapper.readTree(reply), ran.output)
        catch {
          case failure: JsonProcessingException => PythonReply.unreadable(failure, ran.output)
        }
      case None => Child.died(kind, running.child.process.ending, ran.output)
    }
}

/** The Python child's answers as results. */
private object PythonReply {

  def result(statement: Int, reply: JsonNode, output: String): Result = {
    Javas.list(reply.path("notes")).foreach(note => Log.line(s"statement $statement: ${note.asText}"))
    val error = reply.path("error")
    if (error.isMissingNode) Result.Ok(data(reply.path("data"), output))
    else Result.Failed(error.path("ename").asText, error.path("evalue").asText,
      // Clients join the lines, so the output printed before the error comes first.
      CapturedStream.lines(output) ++ Javas.list(error.path("traceback")).map(_.asText))
  }

  /** Jackson has limits of its own, such as 1000 digits in one number. */
  def unreadable(failure: JsonProcessingException, output: String): Result =
    Result.Failed("OutputTooLarge", s"the result cannot be passed on: ${failure.getOriginalMessage}", CapturedStream.lines(output))

  /** A value of a magic or a plot stands alone, unless something was printed. */
  private def data(shown: JsonNode, output: String): Seq[(String, JsonNode)] = {
    val text = output.substring(0, output.lastIndexWhere(!_.isWhitespace) + 1)
    val values = Javas.list(shown.fieldNames).map(name => name -> shown.path(name))
    if (values.isEmpty || text.nonEmpty) ("text/plain" -> Json.text(text)) :: values else values
  }
}
