package livius.agent

import java.io.{Closeable, File, IOException}
import java.nio.charset.StandardCharsets.UTF_8
import java.util.concurrent.atomic.AtomicBoolean

/** The outcome of a statement in a child: its reply (none if the child died) and the printed
  * output.
  */
final case class Ran(reply: Option[Array[Byte]], output: String)

/** A child process that interprets statements: its process, its connections and its output.
  *
  * @param mergeErrors whether its stderr joins its stdout
  * @param orders      makes the one line for its standard input, which tells how to connect
  */
final class Child(
    name: String, command: Seq[String], directory: File, environment: Environment, mergeErrors: Boolean,
    outputBytes: Int, orders: ChildListener => String) extends Closeable {

  private val listener = new ChildListener
  private var channels = List.empty[ChildChannel]
  // The running statement, and whether it was interrupted already.
  @volatile private var statement: Option[AtomicBoolean] = None
  @volatile private var deathTold = false

  private val started =
    try ChildProcess.start(command, directory, environment, mergeErrors, orders(listener))
    catch { case failure: Throwable => listener.close(); throw failure }

  val process = new ChildProcess(started, () => disconnect())

  private val errors = if (mergeErrors) Nil else List(new CapturedStream(s"$name-stderr", started.getErrorStream))
  private val outputs = new CapturedStream(s"$name-stdout", started.getInputStream) :: errors

  /** Waits for one of the child's connections. Throws an IOException if it has died or takes too
    * long.
    */
  def connect(role: String, timeoutMs: Int): ChildChannel = {
    val channel = listener.accept(role, timeoutMs)
    process.identify(channel.pid)
    synchronized { channels ::= channel }
    if (!process.alive) disconnect()
    channel
  }

  def alive: Boolean = process.alive

  /** How it ended, if no statement has told the user: it died while none ran. */
  def untoldEnding: Option[String] = if (deathTold) None else Some(process.ending)

  /** Tells whether a statement runs. */
  def busy: Boolean = statement.nonEmpty

  /** Asks the running statement to stop, and when asked again all processes that it may be waiting
    * for.
    */
  def interrupt(): Unit = statement.foreach(running => process.interrupt(all = running.getAndSet(true)))

  /** Ends the process, if a statement runs in it. */
  def kill(): Unit = statement.foreach(_ => process.cancel())

  /** Ends the process while it is starting. A thread that waits for its connections gets an
    * exception.
    */
  def abort(): Unit = process.kill()

  /** Runs one statement. The request is made with a marker, which the child writes to its outputs
    * when the code has ended.
    *
    * @param live gets what the code prints, while it runs
    */
  def run(channel: ChildChannel, live: LiveStreams)(request: String => Array[Byte]): Ran = {
    val marker = Child.MarkerStart + Secrets.hex(16)
    val budget = new OutputBudget(outputBytes)
    for ((output, stream) <- outputs.zip(Seq(live.out, live.err))) output.begin(marker.getBytes(UTF_8), budget, stream)
    statement = Some(new AtomicBoolean)
    val reply = try exchange(channel, request(marker)) finally statement = None
    if (reply.isEmpty) {
      end()
      deathTold = true
    }
    Ran(reply, outputs.map(_.end(Child.MarkerPatienceMs)).mkString + budget.note)
  }

  /** Ends a child that did not become ready. Returns how it ended, and the newest lines that it
    * printed.
    */
  def failedStart(): (String, String) = {
    process.awaitExit(Child.LeavePatienceMs)
    val ending = if (process.alive) "it was not ready in time" else process.ending
    close()
    outputs.foreach(_.awaitEnd(Child.MarkerPatienceMs))
    val words = outputs.last.lastLines.mkString
    (ending, if (words.isEmpty) "" else s"\nIts last words:\n$words")
  }

  /** Gives it a moment to exit by itself, as it does when its connections end. Then ends it with
    * all that it started.
    */
  override def close(): Unit = {
    disconnect()
    process.awaitExit(Child.LeavePatienceMs)
    process.kill()
  }

  private def exchange(channel: ChildChannel, request: Array[Byte]): Option[Array[Byte]] =
    try {
      channel.send(request)
      Some(channel.receive())
    } catch {
      case _: IOException => None
    }

  /** Its connection has ended, so it is dead or dying. Processes that it started would keep its
    * pipes open.
    */
  private def end(): Unit = {
    process.awaitExit(Child.LeavePatienceMs)
    process.kill()
    process.awaitExit(Child.LeavePatienceMs)
  }

  private def disconnect(): Unit = {
    listener.close()
    synchronized(channels).foreach(_.close())
  }
}

object Child {

  /** A character that ordinary output does not contain: it makes the search for the marker quick.
    */
  private val MarkerStart = "\u001e"

  /** The time that output may lag behind the end of the code. The marker is missing only if the
    * code closed the child's own files.
    */
  private val MarkerPatienceMs = 2000L
  private val LeavePatienceMs = 1000L

  /** The result of the first statement after a death that no statement has told. It is not run,
    * because it may need variables that are lost.
    */
  def diedBefore(kind: String, ending: String): Result.Failed = Result.Failed("Error",
    s"Interpreter died before this statement: $ending.\nThis statement was not run, because the variables of the $kind " +
      "interpreter are lost. A new one is ready, on the same Spark context.",
    Nil)

  /** The result of a statement whose interpreter died. */
  def died(kind: String, ending: String, output: String): Result.Failed = Result.Failed("Error",
    s"Interpreter died: $ending.\nThe variables of the $kind interpreter are lost. " +
      "The next statement starts a new one, on the same Spark context.",
    CapturedStream.lines(output))
}
