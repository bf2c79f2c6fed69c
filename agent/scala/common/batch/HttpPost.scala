package livius.agent

import java.net.{InetAddress, URL, UnknownHostException}

/** One JSON document sent to a server. */
object HttpPost {
  private val ReadTimeoutMs = 10000

  /** The response's status. Throws an IOException if there is no response. */
  def status(url: String, body: Array[Byte], headers: Seq[(String, String)]): Int = {
    val target = new URL(url)
    // The application's proxy cannot reach a server on this machine.
    val connection = ServerConnection.open(target, headers, ReadTimeoutMs, proxy = !isLoopback(target.getHost))
    try {
      connection.setDoOutput(true)
      connection.setRequestMethod("POST")
      connection.setRequestProperty("Content-Type", "application/json")
      connection.getOutputStream.write(body)
      connection.getResponseCode
    } finally connection.disconnect()
  }

  private def isLoopback(host: String): Boolean =
    try InetAddress.getByName(host).isLoopbackAddress
    catch { case _: UnknownHostException => false }
}
