package livius.agent

import java.util.concurrent.{CountDownLatch, TimeUnit}

/** A point in the order of commands: the commands after it wait until it is open. */
final class Gate {
  private val closed = new CountDownLatch(1)

  def open(): Unit = closed.countDown()

  /** Waits until the gate is open, or the waiting work is no longer wanted. */
  def awaitUnless(unwanted: => Boolean): Unit =
    while (!unwanted && !closed.await(Gate.LookEveryMs, TimeUnit.MILLISECONDS)) {}
}

object Gate {
  private val LookEveryMs = 100L

  def opened: Gate = {
    val made = new Gate
    made.open()
    made
  }
}
