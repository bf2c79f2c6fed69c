package livius.agent

import java.util.concurrent.{CountDownLatch, TimeUnit}
import java.util.concurrent.atomic.AtomicBoolean

import scala.util.control.NoStackTrace

import org.apache.spark.SparkConf
import org.apache.spark.sql.SparkSession

/** Ends the driver, in good order if possible.
  *
  * @param started open when the driver has come up, or has failed to
  */
final class Shutdown(
    conf: SparkConf, events: Events, closeSessions: () => Unit, link: Link, started: CountDownLatch,
    spark: () => Option[SparkSession]) {

  import Shutdown._

  private val begun = new AtomicBoolean(false)
  private val done = new CountDownLatch(1)
  @volatile private var failure = Option.empty[String]

  /** Whether the driver is the application master of a YARN cluster. The master's process must not
    * exit before it has told YARN how the application ended.
    */
  val inApplicationMaster: Boolean =
    conf.get("spark.submit.deployMode", "client") == "cluster" && conf.get("spark.master", "").startsWith("yarn")

  /** Ends the driver in good order; returns at once. Only the first call of any method here has an
    * effect.
    */
  def stop(reason: String): Unit = start(None) {
    Log.line(s"the driver ends: $reason")
    release()
    events.stopped(reason)
  }

  /** As `stop`, without telling the server. */
  def abandon(reason: String): Unit = start(Some(s"the driver ends: $reason")) {
    Log.line(s"the driver ends: $reason")
    release()
  }

  /** Tells the server why this driver cannot serve, and ends it. */
  def failed(phase: String, error: Throwable): Unit = start(Some(s"the driver cannot serve ($phase): ${StackTraces.message(error)}")) {
    Log.line(s"the driver cannot serve ($phase)", error)
    events.failed(phase, StackTraces.message(error), StackTraces.text(error))
    release()
  }

  /** Waits for the end in an application master, and returns or throws as YARN is to be told.
    * Elsewhere the process exits first.
    */
  def await(): Unit = {
    done.await()
    failure.foreach(why => throw new DriverFailed(why))
  }

  private def start(why: Option[String])(work: => Unit): Unit = if (begun.compareAndSet(false, true)) {
    failure = why
    val code = if (why.isEmpty) 0 else 1
    Threads.daemon("watchdog") {
      Thread.sleep(if (inApplicationMaster) LongestInMasterMs else LongestMs)
      Log.line("the driver did not end by itself and is halted")
      Runtime.getRuntime.halt(code)
    }
    Threads.daemon("shutdown") {
      try work catch { case error: Throwable => Log.line("ending badly", error) }
      link.end()
      if (inApplicationMaster) done.countDown() else System.exit(code)
    }
  }

  private def release(): Unit = {
    closeSessions()
    // An application master that ends before its SparkContext is there has failed in the eyes of YARN.
    if (inApplicationMaster) started.await(LongestStartMs, TimeUnit.MILLISECONDS): Unit
    spark().foreach { session =>
      try session.stop() catch { case error: Throwable => Log.line("cannot stop the SparkContext", error) }
    }
  }
}

/** The reason why a driver ends, for the diagnostics of its application. */
final class DriverFailed(why: String) extends Exception(why) with NoStackTrace

object Shutdown {
  private val LongestMs = 8000L
  private val LongestStartMs = 10000L

  /** The application master also removes the application's files, which may be far away. */
  private val LongestInMasterMs = 60000L
}
