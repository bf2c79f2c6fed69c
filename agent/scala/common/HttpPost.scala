package livius.agent

import java.net.{HttpURLConnection, InetAddress, Proxy, URL, UnknownHostException}

/** One JSON document sent to a server, over the connections that every JVM has. */
object HttpPost {
  private val ConnectTimeoutMs = 5000
  private val ReadTimeoutMs = 10000

  /** The answer's status. Throws an IOException if there is no answer. */
  def status(url: String, body: Array[Byte], headers: Seq[(String, String)]): Int = {
    val connection = open(new URL(url))
    try {
      connection.setConnectTimeout(ConnectTimeoutMs)
      connection.setReadTimeout(ReadTimeoutMs)
      connection.setInstanceFollowRedirects(false) // the secret is for the named server only
      connection.setUseCaches(false)
      connection.setDoOutput(true)
      connection.setRequestMethod("POST")
      connection.setRequestProperty("Content-Type", "application/json")
      headers.foreach { case (name, value) => connection.setRequestProperty(name, value) }
      connection.getOutputStream.write(body)
      connection.getResponseCode
    } finally connection.disconnect()
  }

  /** A proxy that the application is set to use knows nothing of a server on this machine. */
  private def open(url: URL): HttpURLConnection =
    (if (isLoopback(url.getHost)) url.openConnection(Proxy.NO_PROXY) else url.openConnection()).asInstanceOf[HttpURLConnection]

  private def isLoopback(host: String): Boolean =
    try InetAddress.getByName(host).isLoopbackAddress
    catch { case _: UnknownHostException => false }
}
