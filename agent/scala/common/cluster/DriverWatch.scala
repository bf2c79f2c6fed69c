package livius.agent

import scala.annotation.tailrec

import org.apache.spark.deploy.livius.DriverReport

/** Follows a cluster's driver to its end, and writes its states to the log and the verdict. */
final class DriverWatch(first: String, cluster: ClusterWatch, verdict: Verdict, stop: StopRequest) {

  import DriverWatch._

  private var driver = first
  private var shown: Option[DriverReport] = None
  private var missed = 0
  private var killAsked: Option[Long] = None

  /** The exit code that tells how it ended. */
  @tailrec
  def untilItEnds(): Int = look() match {
    case Some(code) => code
    case None =>
      stop.pause()
      untilItEnds()
  }

  private def look(): Option[Int] = cluster.report(driver) match {
    case Some(report) =>
      missed = 0
      if (!shown.contains(report)) show(report)
      if (report.isFinal) Some(ended(report)) else { goOn(report); None }
    case None =>
      missed += 1
      if (missed < MissedMost) None else Some(forgotten())
  }

  private def goOn(report: DriverReport): Unit = {
    if (report.state == "RELAUNCHING") replace()
    if (stop.made) end()
  }

  /** A driver that was lost with its worker comes back under another id, if it was submitted with
    * `supervise`.
    */
  private def replace(): Unit = cluster.driverAtOnce().filter(_ != driver).foreach { next =>
    SubmitLog.line(s"driver $driver was lost with its worker and is started anew as $next")
    driver = next
    shown = None
    killAsked = None
  }

  /** Repeated from time to time: the master drops the request if the driver does not run yet, or
    * has moved.
    */
  private def end(): Unit = if (killAsked.forall(at => System.nanoTime - at >= KillAgainNs)) {
    if (killAsked.isEmpty) SubmitLog.line(s"the standalone master is asked to end driver $driver")
    killAsked = Some(System.nanoTime)
    cluster.kill(driver)
  }

  private def show(report: DriverReport): Unit = {
    shown = Some(report)
    verdict.write(Some(driver), report)
    val place = report.worker.fold("") { worker =>
      s" on $worker" + cluster.logOf(driver, worker).fold("")(address => s" (its log: $address)")
    }
    if (!report.isFinal) SubmitLog.line(s"driver $driver is ${report.state}$place")
  }

  private def ended(report: DriverReport): Int = {
    val why = report.exception.fold("")(exception => s": ${exception.takeWhile(_ != '\n')}")
    SubmitLog.line(s"the standalone master says that driver $driver ended as ${report.state}$why")
    if (report.state == "FINISHED") 0 else 1
  }

  private def forgotten(): Int = {
    SubmitLog.line(s"the standalone master no longer knows driver $driver, as after a restart without recovery: how it ended is not known")
    verdict.write(Some(driver), DriverReport("UNKNOWN", None, None))
    1
  }
}

object DriverWatch {

  /** We believe a master that does not know the driver after this number of such answers. */
  private val MissedMost = 5
  private val KillAgainNs = 2000000000L
}
