package livius.agent

import java.io.File

import org.apache.spark.deploy.livius.{QuietLogging, StandaloneMaster}

/** Runs a job in a standalone cluster and stays until the job's driver has ended, with an exit code
  * that says how: spark-submit itself has no such exit code. A signal ends the driver too. Its one
  * argument is the order's file.
  */
object StandaloneSubmit {

  def main(arguments: Array[String]): Unit = {
    val stop = new StopRequest
    stop.heed()
    val code =
      try run(SubmitOrder.read(new File(arguments(0))), stop)
      catch {
        case error: Throwable =>
          Log.line("this job cannot be looked after", error)
          1
      } finally stop.settle()
    System.exit(code)
  }

  private def run(order: SubmitOrder, stop: StopRequest): Int = {
    QuietLogging.install()
    val cluster = new ClusterWatch(new StandaloneMaster(order.master, order.readProperties()), order.mark, stop)
    new ClusterJob(order, cluster, new Verdict(order.verdict), stop).run()
  }
}

/** Lines in the job's log. */
object SubmitLog {
  def line(message: String): Unit = println(s"livius: $message")
}
