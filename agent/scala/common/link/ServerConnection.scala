package livius.agent

import java.io.IOException
import java.net.{HttpURLConnection, Proxy, URL}

/** HTTP requests to the server, with the JDK's own client.
  *
  * @param readTimeoutMs how long the server may take
  * @param proxy         whether the proxy that the JVM is set to use may be used
  */
final class ServerConnection(proof: Proof, readTimeoutMs: Int, proxy: URL => Boolean) {

  import ServerConnection._

  /** Sends a request, after the server has proved itself, and reads the response. Throws an
    * IOException if there is no response, or one that the server did not prove: a stranger may
    * listen at the server's address.
    */
  def ask[A](url: URL, purpose: String, body: Option[Array[Byte]])(read: (Int, HttpURLConnection) => A): A = {
    val whole = body.getOrElse(ProvenRequest.EmptyBody)
    val first = ProvenRequest.first(proof, purpose)
    val answered = send(url, first, body.map(_ => ProvenRequest.EmptyBody)) { (status, connection) =>
      first.next(status, header(connection), whole).toLeft(read(status, connection))
    }
    answered.fold(next => send(url, next, body)(read), identity)
  }

  private def send[A](url: URL, request: ProvenRequest, body: Option[Array[Byte]])(read: (Int, HttpURLConnection) => A): A = {
    val connection = open(url, request.headers)
    try {
      body.foreach(post(connection, _))
      val status = connection.getResponseCode
      if (!request.isProven(status, header(connection))) throw new IOException(s"HTTP $status came without the server's proof")
      read(status, connection)
    } finally connection.disconnect()
  }

  private def post(connection: HttpURLConnection, body: Array[Byte]): Unit = {
    connection.setDoOutput(true)
    connection.setRequestMethod("POST")
    connection.setRequestProperty("Content-Type", "application/json")
    connection.getOutputStream.write(body)
  }

  private def header(connection: HttpURLConnection)(name: String): Option[String] = Option(connection.getHeaderField(name))

  private def open(url: URL, headers: Seq[(String, String)]): HttpURLConnection = {
    val opened = if (proxy(url)) url.openConnection() else url.openConnection(Proxy.NO_PROXY)
    val connection = opened.asInstanceOf[HttpURLConnection]
    connection.setConnectTimeout(ConnectTimeoutMs)
    connection.setReadTimeout(readTimeoutMs)
    connection.setInstanceFollowRedirects(false) // a proof is for the named server only
    connection.setUseCaches(false)
    headers.foreach { case (name, value) => connection.setRequestProperty(name, value) }
    connection
  }
}

object ServerConnection {
  private val ConnectTimeoutMs = 5000
}
