package livius.agent

import java.io.IOException
import java.net.{InetAddress, URL, UnknownHostException}
import java.nio.charset.StandardCharsets.UTF_8
import java.util.concurrent.{CountDownLatch, TimeUnit}

import scala.annotation.tailrec

import org.apache.spark.livius.RunningContext

/** Reports the running application to the server, in its own thread. Retries until the server
  * accepts or the application ends.
  */
final class ApplicationReport(launch: BatchLaunch, appId: String, driverLogUrl: Option[String]) {

  import ApplicationReport._

  // The application's proxy cannot reach a server on this machine.
  private val server = new ServerConnection(launch.proof, ReadTimeoutMs, proxy = url => !isLoopback(url.getHost))
  private val ended = new CountDownLatch(1)
  private val settled = new CountDownLatch(1)

  def start(): Unit = Threads.daemon("report") {
    try tell()
    catch { case error: Throwable => Log.line(s"the server cannot be told of this application: $error") }
    finally settled.countDown()
  }: Unit

  /** The application has ended. Waits a moment for a last attempt, so that the server hears of a
    * very short application too.
    */
  def finish(): Unit = {
    ended.countDown()
    settled.await(LastTryMs, TimeUnit.MILLISECONDS): Unit
  }

  /** Reports without the UI's address if that is not known soon, and again when it is known. */
  private def tell(): Unit = {
    val early = uiUrl(UiPatienceMs)
    if (deliver(early.flatten) && early.isEmpty) uiUrl(Long.MaxValue).flatten.foreach(url => deliver(Some(url)))
  }

  /** The UI's address as the context says it. None if there was no context in that time: Spark
    * shows it only when it is complete, and on a cluster it waits for executors before.
    */
  private def uiUrl(patienceMs: Long): Option[Option[String]] = {
    val begin = System.nanoTime
    @tailrec def look(): Option[Option[String]] = {
      val found = RunningContext.of(appId).map(_.uiWebUrl)
      val late = (System.nanoTime - begin) / 1000000 >= patienceMs
      if (found.isDefined || late || ended.await(ContextStepMs, TimeUnit.MILLISECONDS)) found else look()
    }
    look()
  }

  /** Tries the servers in turn. True if one has accepted, false if one has refused for good or the
    * application has ended.
    */
  private def deliver(uiUrl: Option[String]): Boolean = {
    val body = document(uiUrl)
    @tailrec def attempt(count: Int, delayMs: Long, last: Boolean): Boolean =
      answer(launch.reports(count % launch.reports.size), body) match {
        case Right(status) if status / 100 == 2 => true
        case Right(status @ (400 | 404)) =>
          Log.line(s"the server does not want to know of this application (HTTP $status)")
          false
        case other =>
          if (count == 0) Log.line(s"the server cannot be told of this application: ${other.fold(identity, "HTTP " + _)}; trying again")
          !last && attempt(count + 1, math.min(delayMs * 2, LongestDelayMs), ended.await(delayMs, TimeUnit.MILLISECONDS))
      }
    attempt(0, FirstDelayMs, last = false)
  }

  private def answer(url: String, body: Array[Byte]): Either[String, Int] =
    try Right(server.ask(new URL(url), Purpose, Some(body))((status, _) => status))
    catch { case failure: IOException => Left(s"$url: $failure") }

  private def document(uiUrl: Option[String]): Array[Byte] = Json.write(Json.obj()
    .put("v", Version)
    .put("appId", appId)
    .put("sparkUiUrl", uiUrl.orNull)
    .put("driverLogUrl", driverLogUrl.orNull)).getBytes(UTF_8)
}

object ApplicationReport {
  /** The version of the report's form. */
  private val Version = 1
  private val FirstDelayMs = 200L
  private val LongestDelayMs = 30000L
  private val LastTryMs = 1000L
  private val ReadTimeoutMs = 10000
  private val UiPatienceMs = 5000L
  private val ContextStepMs = 50L

  /** The purpose of the request, for its proof. */
  private val Purpose = "application"

  private def isLoopback(host: String): Boolean =
    try InetAddress.getByName(host).isLoopbackAddress
    catch { case _: UnknownHostException => false }
}
