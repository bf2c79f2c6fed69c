package livius.agent

import java.util.concurrent.ConcurrentHashMap

import scala.util.control.ControlThrowable

/** Ends user code at its next check. Neither `catch { case e: Exception }` nor `NonFatal` holds it
  * up.
  */
final class StatementInterrupted extends ControlThrowable {
  override def getMessage: String = "the statement was cancelled"
}

/** The request to stop, as user code sees it: the interpreter puts a call of `check` into each loop
  * and each method.
  */
object Interrupts {

  private val targets = ConcurrentHashMap.newKeySet[Thread]()
  @volatile private var any = false

  /** Called from user code, often: this must stay one field read in the usual case. */
  def check(): Unit = if (any) throwIfMeant()

  def raise(thread: Thread): Unit = synchronized {
    targets.add(thread)
    any = true
  }

  def clear(thread: Thread): Unit = synchronized {
    targets.remove(thread)
    any = !targets.isEmpty
  }

  private def throwIfMeant(): Unit = if (targets.contains(Thread.currentThread)) throw new StatementInterrupted
}
