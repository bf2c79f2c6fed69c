package livius.agent

import com.fasterxml.jackson.databind.JsonNode

/** The outcome of a statement's code. */
sealed trait Result

object Result {

  /** A value to be shown as data, unless it is longer than an output may be. */
  def shown(mime: String, value: JsonNode, mostBytes: Int): Result =
    if (Json.fits(value, mostBytes)) Ok(Seq(mime -> value)) else tooLarge(mostBytes)

  def tooLarge(mostBytes: Int): Failed =
    Failed("OutputTooLarge", s"the result has more than the $mostBytes bytes that a statement's output may have", Nil)

  /** The code ran to its end. `data` maps a MIME type to its value, in the order to be written. */
  final case class Ok(data: Seq[(String, JsonNode)]) extends Result

  /** The code failed, or could not be run. Each line of `traceback` ends in a newline. */
  final case class Failed(ename: String, evalue: String, traceback: Seq[String]) extends Result
}

/** The interpreter of one kind: it holds the user's variables and runs one statement at a time.
  *
  * `execute` is called by the statement thread alone, `start` by one thread at a time. `interrupt`,
  * `kill`, `complete` and `close` are called by other threads, at any time.
  */
trait Interpreter {

  /** Livy's name of the kind: `spark`, `pyspark`, `pyspark3`, `sparkr`, `sql`. */
  def kind: String

  /** Tells whether statements can be run: not before `start`, after `close`, or once a child
    * process has died.
    */
  def alive: Boolean

  /** Makes the interpreter ready, or throws [[InterpreterUnavailable]]. May be called again after a
    * death.
    */
  def start(): Unit

  /** Ends a start that waits for a process: `start` throws soon afterwards. Called by other
    * threads, harmless at other times.
    */
  def abortStart(): Unit = ()

  /** Runs code to its end, good or bad. If the child process dies, the result is a
    * [[Result.Failed]] that tells why.
    *
    * @param live gets what the code prints, while it runs
    */
  def execute(statement: Int, code: String, live: LiveStreams): Result

  /** Runs code as a statement would, before the first statement, and leaves nothing of it that a user
    * could see. Throws an exception if the code fails.
    */
  def rehearse(code: String): Unit

  /** Asks the running code to stop: an exception in its thread, SIGINT to its process. Harmless
    * when nothing runs.
    */
  def interrupt(): Unit

  /** Ends the running code by force. `execute` returns soon afterwards and the interpreter may have
    * to be started again. Returns false if this kind of interpreter cannot do that.
    */
  def kill(): Boolean

  /** Candidates to complete the code at the cursor (a count of UTF-16 units). Empty while a
    * statement runs.
    */
  def complete(code: String, cursor: Int): Seq[String]

  /** Ends it, with every process that it started. */
  def close(): Unit
}

/** The reason why an interpreter cannot be started, in words for the user, with the remedy. */
final class InterpreterUnavailable(message: String, cause: Throwable = null) extends Exception(message, cause)
