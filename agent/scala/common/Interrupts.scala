package livius.agent

import scala.util.control.ControlThrowable

/** Ends user code at its next check. Neither `catch { case e: Exception }` nor `NonFatal` holds it up. */
final class StatementInterrupted extends ControlThrowable {
  override def getMessage: String = "the statement was cancelled"
}

/** The request to stop, as user code sees it: the interpreter puts a call of `check` into each loop and each method. */
object Interrupts {

  @volatile private var target: Thread = null

  /** Called from user code, often: this must stay one field read in the usual case. */
  def check(): Unit = if (target != null) throwIfMeant()

  def raise(thread: Thread): Unit = target = thread

  def clear(): Unit = target = null

  private def throwIfMeant(): Unit = if (Thread.currentThread eq target) throw new StatementInterrupted
}
