package livius.agent

import scala.annotation.tailrec

import org.apache.spark.deploy.livius.{DriverReport, NoMaster, StandaloneMaster}

/** The cluster's master, asked again when it does not answer at once. */
final class ClusterWatch(master: StandaloneMaster, mark: String, stop: StopRequest) {
  private var lost = false

  /** The job's driver, if there is one. Fails with [[NoMaster]] when no master answers for a while.
    */
  def driver(giveUp: => Boolean): Option[String] = patiently(ClusterWatch.PatienceMs, giveUp)(master.driverWith(mark))

  /** The job's driver, if that is known at once. */
  def driverAtOnce(): Option[String] = try master.driverWith(mark) catch { case _: NoMaster => None }

  /** The driver's state; waits for the master without a limit. None if the master does not know the
    * driver.
    */
  def report(driver: String): Option[DriverReport] = patiently(Long.MaxValue, giveUp = false)(master.report(driver))

  /** Asks the master to end the driver, and ignores a failure: the caller waits for the end and
    * asks again.
    */
  def kill(driver: String): Unit = try master.kill(driver) catch { case _: NoMaster => }

  def logOf(driver: String, worker: String): Option[String] =
    try master.webUi(worker).map(ui => s"$ui/logPage/?driverId=$driver&logType=stderr")
    catch { case _: NoMaster => None }

  private def patiently[A](patienceMs: Long, giveUp: => Boolean)(question: => A): A = {
    val begin = System.nanoTime
    @tailrec def again(): A = answer(question) match {
      case Right(answer) => answer
      case Left(failure) if giveUp || (System.nanoTime - begin) / 1000000 >= patienceMs => throw failure
      case Left(failure) =>
        if (!lost) SubmitLog.line(s"no standalone master answers (${failure.getMessage}); trying again")
        lost = true
        stop.pause()
        again()
    }
    again()
  }

  private def answer[A](question: => A): Either[NoMaster, A] =
    try {
      val answer = question
      if (lost) SubmitLog.line("the standalone master answers again")
      lost = false
      Right(answer)
    } catch { case failure: NoMaster => Left(failure) }
}

object ClusterWatch {
  private val PatienceMs = 60000L
}
