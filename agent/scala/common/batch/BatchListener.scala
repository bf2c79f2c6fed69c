package livius.agent

import org.apache.spark.scheduler.{SparkListener, SparkListenerApplicationEnd, SparkListenerApplicationStart}

/** Tells the server that a batch's application really runs, and under which id. Spark makes one for
  * each SparkContext.
  *
  * It runs inside the user's application, so a failure here must not affect the application.
  */
final class BatchListener extends SparkListener {
  @volatile private var report: Option[ApplicationReport] = None

  override def onApplicationStart(event: SparkListenerApplicationStart): Unit = harmless {
    for (launch <- BatchLaunch.find(); appId <- event.appId) {
      val made = new ApplicationReport(launch, appId, driverLogUrl = event.driverLogs.flatMap(_.get("stderr")))
      report = Some(made)
      made.start()
    }
  }

  override def onApplicationEnd(event: SparkListenerApplicationEnd): Unit = harmless(report.foreach(_.finish()))

  private def harmless(body: => Unit): Unit =
    try body
    catch {
      case _: InterruptedException => Thread.currentThread.interrupt()
      // Linkage errors too: the application may have put other versions of libraries before
      // Spark's.
      case error: Throwable => Log.line(s"the server cannot be told of this application: $error")
    }
}
