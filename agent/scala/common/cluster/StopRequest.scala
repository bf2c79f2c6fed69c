package livius.agent

import java.util.concurrent.{CountDownLatch, TimeUnit}

/** A signal's request that this process ends. The process stays until `settle` is called. */
final class StopRequest {
  private val asked = new CountDownLatch(1)
  private val settled = new CountDownLatch(1)

  def heed(): Unit = Runtime.getRuntime.addShutdownHook(new Thread("livius-stop") {
    override def run(): Unit = {
      asked.countDown()
      settled.await()
    }
  })

  def made: Boolean = asked.getCount == 0

  /** Lets the process end. */
  def settle(): Unit = settled.countDown()

  /** Waits between two queries of the cluster. The wait is short once the process was asked to end.
    */
  def pause(): Unit =
    if (made) Thread.sleep(StopRequest.StepMsWhenMade) else asked.await(StopRequest.StepMs, TimeUnit.MILLISECONDS): Unit
}

object StopRequest {
  private val StepMs = 1000L
  private val StepMsWhenMade = 100L
}
