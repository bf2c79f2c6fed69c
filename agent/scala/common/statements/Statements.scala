package livius.agent

import java.util.concurrent.ArrayBlockingQueue

import scala.util.Try
import scala.util.control.NonFatal

/** A statement to run, and the gate that must open before it. */
final case class Statement(id: Int, kind: String, code: String, after: Gate)

/** The running statement, for other threads. */
final class Running(val statement: Statement, override val work: Work) extends Stoppable {
  /** The start of its interpreter, before the interpreter is ready; then the interpreter. */
  @volatile var starting: Option[Starting] = None
  @volatile var interpreter: Option[Interpreter] = None

  override val name = s"statement ${statement.id}"

  private var patience = Running.StartPatience

  // A start can only be ended by force. Most are over before that is due, and none has variables to
  // lose.
  override def interrupt(): Unit = interpreter match {
    case Some(ready) => ready.interrupt()
    case None => if (patience > 0) patience -= 1 else kill(): Unit
  }

  override def kill(): Boolean = interpreter match {
    case Some(ready) => ready.kill()
    case None =>
      starting.foreach(_.giveUp())
      true
  }
}

private object Running {

  /** How many requests to stop a start may ignore. */
  private val StartPatience = 3
}

/** Runs statements, one after the other, on one thread. */
final class Statements(
    interpreters: Interpreters, jobs: SparkJobs, groups: JobGroups, events: SessionEvents, cancellation: Cancellation,
    context: ContextWatch, live: LiveOutput) {

  import Statements._

  private val waiting = new ArrayBlockingQueue[Statement](MostWaiting)
  private val ledger = new Ledger(MostWaiting * 4, events.isKept)
  private val cancelledAhead = new RecentIds(MostWaiting)
  @volatile private var current: Option[Running] = None
  private var stoppedTold = false

  /** Starts the thread. `first` is its first work: to start the session kind's interpreter. */
  def start(first: => Unit): Unit = Threads.daemon("statements") {
    first
    // Threads that the code has left may interrupt this one at any time.
    while (true) Attempt(one())
  }

  /** Queues a statement unless it is known: commands may arrive twice. Does not wait. */
  def submit(statement: Statement): Unit = ledger.admit(statement.id) match {
    case Ledger.New => if (!waiting.offer(statement)) refuse(statement.id, tooMany)
    case Ledger.InHand => ()
    case Ledger.Lost => refuse(statement.id, Lost)
  }

  /** The statement that runs, or whose result is being told, and those that wait. */
  def unfinished: (Option[Int], Seq[Int]) = {
    val queued = Javas.list(waiting.iterator).map(_.id)
    (ledger.unfinished.find(id => !queued.contains(id)), queued)
  }

  private def refuse(id: Int, why: Result.Failed): Unit =
    ledger.conclude(id, events.finishedNow(id, cancelled = false, Documents.of(id, why)))

  /** Stops that statement's code, now or before it begins. */
  def cancel(id: Int, force: Boolean): Unit = synchronized {
    current.filter(_.statement.id == id) match {
      case Some(running) => cancellation.pursue(running, force)
      case None => cancelledAhead.add(id): Unit
    }
  }

  def running: Option[Running] = current

  // No failure here may end the thread, or leave the server without the statement's end.
  private def one(): Unit = {
    val statement = waiting.take()
    try run(statement)
    catch {
      case error: Throwable =>
        Attempt(Log.line("a statement ended badly", error))
        if (!interpreters.isClosed && ledger.unfinished.contains(statement.id))
          ledger.conclude(statement.id, toldBadly(statement.id, cancelled = false, error))
    }
  }

  private def run(statement: Statement): Unit = {
    val running = begin(statement)
    val document = Attempt(outcome(running))
    end(running)
    // When the driver stops, the code's outcome is not its own. The server knows the reason, and
    // tells the user.
    if (!interpreters.isClosed) ledger.conclude(statement.id, told(running, document))
  }

  /** Tells the end without fail, because the server waits for it. If the document does not fit into
    * this driver's memory, a small error document takes its place.
    */
  private def told(running: Running, document: Try[String]): Long = {
    val id = running.statement.id
    try events.finished(id, running.cancelled, document.get)
    catch { case error: Throwable => toldBadly(id, running.cancelled, error) }
  }

  private def toldBadly(id: Int, cancelled: Boolean, error: Throwable): Long =
    Attempt.insist("tell the end of a statement")(events.finishedNow(id, cancelled, Documents.of(id, internalError(error))))

  private def begin(statement: Statement): Running = synchronized {
    val running = new Running(statement, new Work(groups.statement(statement.id), isStatement = true))
    if (cancelledAhead.contains(statement.id)) cancelAhead(running)
    current = Some(running)
    running
  }

  // None of its code will run, so that nothing has to be stopped.
  private def cancelAhead(running: Running): Unit = {
    running.work.isCancelled = true
    running.markQuiet()
  }

  // While the Spark jobs of a cancelled statement are being ended, further ones may start and are
  // its own.
  private def end(running: Running): Unit = {
    synchronized {
      running.end()
      if (!running.cancelled) current = None
    }
    // A late interrupt must not disturb the sending of the result.
    Thread.interrupted()
    Attempt(running.awaitQuiet())
    Attempt(jobs.end(running.work))
    synchronized { current = None }
    Thread.interrupted(): Unit
  }

  // Making the document can fail too: a value may be too big for this driver's memory.
  private def outcome(running: Running): String = {
    val id = running.statement.id
    try {
      running.statement.after.awaitUnless(running.cancelled)
      events.started(id)
      val result = execute(running)
      context.afterStatement()
      Documents.of(id, explained(result))
    }
    catch { case error: Throwable => Documents.of(id, internalError(error)) }
  }

  private def execute(running: Running): Result = {
    val statement = running.statement
    try {
      jobs.begin(running.work)
      jobs.enter(running.work)
      if (running.cancelled) Cancellation.stopped(Nil)
      else {
        val interpreter = interpreters.ready(statement.kind, starting = known => running.starting = Some(known))
        running.interpreter = Some(interpreter)
        if (running.cancelled) Cancellation.stopped(Nil) else executed(interpreter, statement)
      }
    } catch {
      case _: InterpreterUnavailable if running.cancelled => Cancellation.stopped(Nil)
      case unavailable: InterpreterUnavailable => notAvailable(unavailable)
      case error: Throwable => internalError(error)
    }
  }

  private def executed(interpreter: Interpreter, statement: Statement): Result = {
    val streams = live.of(statement.id)
    try interpreter.execute(statement.id, statement.code, streams) finally Attempt(streams.finish()): Unit
  }

  /** Explains a failure that happened without a SparkContext: its own message would be obscure. */
  private def explained(result: Result): Result =
    if (interpreters.isClosed || !context.isStopped) result
    else {
      tellStopped()
      result match {
        case failed: Result.Failed => failed.copy(evalue = s"$ContextStopped\n${failed.evalue}")
        case ok => ok
      }
    }

  private def tellStopped(): Unit = if (!stoppedTold) {
    stoppedTold = true
    Log.line(ContextStopped)
  }
}

object Statements {

  // The server sends one at a time, so the limit is reached only by a faulty server.
  private val MostWaiting = 1024

  private[agent] val ContextStopped =
    "the SparkContext was stopped by the session's code, or by the cluster; " +
      "make a new one with SparkSession.builder.getOrCreate() within 30 s, or the session ends"

  private val tooMany = Result.Failed("TooManyStatements", s"$MostWaiting statements are waiting in the driver", Nil)

  private val Lost = Result.Failed(
    "ResultLost", "the driver has run this statement, but its result was lost on the way to the server: run it again", Nil)

  private def notAvailable(why: InterpreterUnavailable): Result =
    Result.Failed(
      "InterpreterError",
      s"Fail to start interpreter: ${why.getMessage}",
      Option(why.getCause).toSeq.flatMap(StackTraces.lines))

  /** A failure of the agent around the code, not of the code. */
  private def internalError(error: Throwable): Result = {
    if (!NonFatal(error)) Log.line("a statement met a serious error", error)
    Result.Failed(s"Internal Error: ${error.getClass.getName}", StackTraces.message(error), StackTraces.lines(error))
  }
}
