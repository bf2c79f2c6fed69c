package livius.agent

import java.io.{IOException, InputStream}
import java.net.URL
import java.nio.file.{Files, Path}

import scala.annotation.tailrec

/** Fetches uploaded files from the server, which keeps each until it knows that the agent has it.
  */
final class ResourceDownload(settings: Settings) {

  import ResourceDownload._

  // No proxy: the agent's WebSocket to the same server uses none.
  private val connection = new ServerConnection(settings.proof, ReadTimeoutMs, proxy = _ => false)

  /** Writes the file, or throws an exception that tells why not. Waits for a server that cannot be
    * reached.
    */
  def fetch(resource: Int, target: Path): Unit = {
    val deadline = System.nanoTime + settings.graceSeconds * 1000000000L
    @tailrec def attempt(count: Int, delayMs: Long): Unit =
      answer(settings.servers(count % settings.servers.size), resource, target) match {
        case Done => ()
        case Refused(status) => throw new ResourceUnavailable(s"the server does not give the file (HTTP $status): upload it again")
        case Later(why) if System.nanoTime >= deadline => throw new ResourceUnavailable(s"the file cannot be fetched: $why")
        case Later(why) =>
          if (count == 0) Log.line(s"resource $resource cannot be fetched: $why; trying again")
          Thread.sleep(delayMs)
          attempt(count + 1, math.min(delayMs * 2, LongestDelayMs))
      }
    attempt(0, FirstDelayMs)
  }

  private def answer(server: String, resource: Int, target: Path): Answer =
    try connection.ask(url(server, resource), s"resource $resource", body = None) {
      case (200, response) => complete(response.getContentLengthLong, store(response.getInputStream, target))
      case (status @ (403 | 404 | 410), _) => Refused(status)
      case (status, _) => Later(s"the server answered HTTP $status")
    }
    catch {
      case failure: IOException => Later(failure.toString)
    }

  // Java treats a connection that breaks as the end of the body.
  private def complete(announced: Long, stored: Long): Answer =
    if (announced < 0 || announced == stored) Done else Later(s"the connection ended after $stored of $announced bytes")

  private def store(in: InputStream, target: Path): Long = {
    val out = kept(target)(Files.newOutputStream(target))
    try {
      val buffer = new Array[Byte](64 * 1024)
      Iterator.continually(in.read(buffer)).takeWhile(_ >= 0).foldLeft(0L) { (stored, count) =>
        kept(target)(out.write(buffer, 0, count))
        stored + count
      }
    } finally kept(target)(out.close())
  }

  // A local failure would not go away by waiting.
  private def kept[A](target: Path)(step: => A): A =
    try step
    catch { case failure: IOException => throw new ResourceUnavailable(s"the driver cannot keep the file as $target: $failure") }
}

object ResourceDownload {
  private val FirstDelayMs = 200L
  private val LongestDelayMs = 5000L
  private val ReadTimeoutMs = 60000

  private sealed trait Answer
  private case object Done extends Answer
  private final case class Refused(status: Int) extends Answer
  private final case class Later(why: String) extends Answer

  private[agent] def url(server: String, resource: Int): URL =
    new URL(s"http${server.stripPrefix("ws").stripSuffix("/")}/resources/$resource")
}

/** The reason why a file of the session cannot be fetched or used, as text for the user. */
final class ResourceUnavailable(message: String) extends Exception(message)
