package livius.agent

import java.net.{HttpURLConnection, Proxy, URL}

/** HTTP requests to the server, with the JDK's own client. */
object ServerConnection {
  private val ConnectTimeoutMs = 5000

  /** @param proxy whether the proxy that the JVM is set to use may be used */
  def open(url: URL, headers: Seq[(String, String)], readTimeoutMs: Int, proxy: Boolean): HttpURLConnection = {
    val opened = if (proxy) url.openConnection() else url.openConnection(Proxy.NO_PROXY)
    val connection = opened.asInstanceOf[HttpURLConnection]
    connection.setConnectTimeout(ConnectTimeoutMs)
    connection.setReadTimeout(readTimeoutMs)
    connection.setInstanceFollowRedirects(false) // the secret is for the named server only
    connection.setUseCaches(false)
    headers.foreach { case (name, value) => connection.setRequestProperty(name, value) }
    connection
  }
}
