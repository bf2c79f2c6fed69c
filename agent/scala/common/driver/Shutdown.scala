package livius.agent

import java.util.concurrent.CountDownLatch
import java.util.concurrent.atomic.AtomicBoolean

import org.apache.spark.SparkConf
import org.apache.spark.sql.SparkSession

/** Ends the driver, in good order if possible. */
final class Shutdown(
    conf: SparkConf, events: Events, closeSessions: () => Unit, link: Link, spark: () => Option[SparkSession]) {

  import Shutdown._

  private val begun = new AtomicBoolean(false)
  private val done = new CountDownLatch(1)
  @volatile private var exitCode = 0

  /** Ends the driver in good order; returns at once. Only the first call of any method here has an
    * effect.
    */
  def stop(reason: String): Unit = start(code = 0) {
    Log.line(s"the driver ends: $reason")
    release()
    events.stopped(reason)
  }

  /** As `stop`, without telling the server. */
  def abandon(reason: String): Unit = start(code = 1) {
    Log.line(s"the driver ends: $reason")
    release()
  }

  /** Tells the server why this driver cannot serve, and ends it. */
  def failed(phase: String, error: Throwable): Unit = start(code = 1) {
    Log.line(s"the driver cannot serve ($phase)", error)
    events.failed(phase, StackTraces.message(error), StackTraces.text(error))
    release()
  }

  /** Waits for the end, where the cluster manager expects the main method to return. Elsewhere the
    * process exits first.
    */
  def await(): Unit = {
    done.await()
    if (exitCode != 0) throw new IllegalStateException("the driver could not serve; the log above tells why")
  }

  private def start(code: Int)(work: => Unit): Unit = if (begun.compareAndSet(false, true)) {
    exitCode = code
    Threads.daemon("watchdog") {
      Thread.sleep(LongestMs)
      Log.line("the driver did not end by itself and is halted")
      Runtime.getRuntime.halt(code)
    }
    Threads.daemon("shutdown") {
      try work catch { case error: Throwable => Log.line("ending badly", error) }
      link.end()
      // The main thread may still be waiting for a cluster, so the process ends without it.
      if (inApplicationMaster) done.countDown() else System.exit(code)
    }
  }

  // On YARN the driver may run inside the application master, which treats an early exit as a
  // failure.
  private def inApplicationMaster: Boolean =
    conf.get("spark.submit.deployMode", "client") == "cluster" && conf.get("spark.master", "").startsWith("yarn")

  private def release(): Unit = {
    closeSessions()
    spark().foreach { session =>
      try session.stop() catch { case error: Throwable => Log.line("cannot stop the SparkContext", error) }
    }
  }
}

object Shutdown {
  private val LongestMs = 8000L
}
