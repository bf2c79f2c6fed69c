package livius.agent

import java.util.concurrent.TimeUnit

import scala.annotation.tailrec

import org.apache.spark.deploy.livius.{DriverReport, NoMaster}

/** One job in a standalone cluster, from its submission to its end. */
final class ClusterJob(order: SubmitOrder, cluster: ClusterWatch, verdict: Verdict, stop: StopRequest) {

  import ClusterJob._

  /** The exit code that tells how it ended. */
  def run(): Int =
    try firstLook() match {
      case Some(driver) => follow(driver)
      case None if stop.made => neverBegun()
      case None => submit()
    } catch {
      case failure: NoMaster =>
        SubmitLog.line(s"no standalone master can be reached at ${order.master} (${failure.getMessage})")
        Failed
    }

  /** An earlier process may have submitted the job and died before the job's end. */
  private def firstLook(): Option[String] =
    try cluster.driver(giveUp = stop.made)
    catch { case _: NoMaster if stop.made => None }

  private def submit(): Int = {
    val child = Submission.start(order)
    try awaitDriver(child) match {
      case Some(driver) => follow(driver)
      case None if stop.made => neverBegun()
      case None => notSubmitted(child.exitValue)
    } finally child.destroyForcibly(): Unit
  }

  /** The driver is known long before spark-submit ends. When spark-submit has failed or was ended,
    * its message to the master may still be on the way.
    */
  private def awaitDriver(child: Process): Option[String] = {
    @tailrec def whileItRuns(): Option[String] = {
      val found = cluster.driverAtOnce()
      if (found.isDefined || stop.made || child.waitFor(SubmissionStepMs, TimeUnit.MILLISECONDS)) found else whileItRuns()
    }
    whileItRuns().orElse {
      child.destroyForcibly().waitFor()
      driverUntil(System.nanoTime + SettleNs)
    }
  }

  @tailrec
  private def driverUntil(deadline: Long): Option[String] = {
    val found = cluster.driver(giveUp = false)
    if (found.isDefined || System.nanoTime - deadline >= 0) found
    else {
      Thread.sleep(SettleStepMs)
      driverUntil(deadline)
    }
  }

  private def follow(driver: String): Int = new DriverWatch(driver, cluster, verdict, stop).untilItEnds()

  private def neverBegun(): Int = {
    SubmitLog.line("the job was stopped before the standalone master knew of it")
    verdict.write(None, DriverReport("KILLED", None, None))
    Failed
  }

  private def notSubmitted(exitCode: Int): Int = {
    SubmitLog.line(s"spark-submit ended with exit code $exitCode, and the standalone master has no driver for this job")
    math.max(Failed, exitCode)
  }
}

object ClusterJob {
  private val Failed = 1
  private val SubmissionStepMs = 500L
  private val SettleNs = 2000000000L
  private val SettleStepMs = 100L
}
