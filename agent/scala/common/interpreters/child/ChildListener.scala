package livius.agent

import java.io.{Closeable, EOFException, IOException}
import java.net.{InetAddress, ServerSocket, Socket, SocketException, SocketTimeoutException}
import java.nio.ByteBuffer
import java.nio.charset.StandardCharsets.UTF_8
import java.security.MessageDigest
import java.util.ArrayDeque

/** The server socket for one child. Any process of this machine can connect, but the agent accepts
  * only one that sends the child's secret. Each connection is greeted in a thread of its own, so
  * that a stranger that says nothing does not keep the child waiting.
  */
final class ChildListener extends Closeable {

  import ChildListener._

  private val server = new ServerSocket(0, Backlog, InetAddress.getByName("127.0.0.1"))
  // Connections that have not shown the secret yet, the oldest first.
  private val strangers = new ArrayDeque[Socket]()
  private var admitted = Map.empty[String, ChildChannel]
  private var closed = false

  val secret: String = Secrets.hex(32)

  def port: Int = server.getLocalPort

  Threads.daemon("child-door") {
    try while (true) meet(server.accept())
    catch { case _: IOException => close() }
  }: Unit

  /** The child's connection for one purpose. Throws an IOException if it does not come in time, or
    * the listener is closed.
    */
  def accept(role: String, timeoutMs: Int): ChildChannel = synchronized {
    val deadline = System.nanoTime + timeoutMs * 1000000L
    while (!closed && !admitted.contains(role)) {
      val leftMs = (deadline - System.nanoTime) / 1000000
      if (leftMs <= 0) throw new SocketTimeoutException(s"no connection for '$role' within $timeoutMs ms")
      wait(leftMs)
    }
    val channel = admitted.getOrElse(role, throw new SocketException("the listener is closed"))
    admitted -= role
    channel
  }

  override def close(): Unit = synchronized {
    closed = true
    server.close()
    strangers.forEach(_.close())
    admitted.values.foreach(_.close())
    admitted = Map.empty
    notifyAll()
  }

  // The child sends its secret at once. When many connections wait, the oldest is a stranger's.
  private def meet(socket: Socket): Unit = {
    synchronized {
      if (strangers.size >= MostStrangers) strangers.poll().close()
      strangers.add(socket)
    }
    Threads.daemon("child-greeting")(admit(socket)): Unit
  }

  /** The first frame of a connection is `<secret> <role> <pid>`. */
  private def admit(socket: Socket): Unit = {
    val known = try greeting(socket) match {
      case Array(shown, role, pid) if isSecret(shown) => Some(role -> new ChildChannel(socket, pid.toLong))
      case _ => None
    } catch {
      case _: IOException | _: NumberFormatException => None
    }
    synchronized {
      strangers.remove(socket)
      known.filterNot { case (role, _) => closed || admitted.contains(role) } match {
        case Some(channel) => admitted += channel; notifyAll()
        case None => socket.close()
      }
    }
  }

  private def isSecret(shown: String): Boolean = MessageDigest.isEqual(shown.getBytes(UTF_8), secret.getBytes(UTF_8))
}

object ChildListener {
  private val Backlog = 64
  private val MostStrangers = 64
  private val GreetingMs = 5000
  private val LongestGreeting = 256

  private def greeting(socket: Socket): Array[String] = {
    val deadline = System.nanoTime + GreetingMs * 1000000L
    val length = ByteBuffer.wrap(read(socket, 4, deadline)).getInt
    if (length < 0 || length > LongestGreeting) throw new IOException("no greeting")
    new String(read(socket, length, deadline), UTF_8).split(' ')
  }

  // The deadline is for the whole greeting: a timeout of the socket would begin with each byte.
  private def read(socket: Socket, length: Int, deadline: Long): Array[Byte] = {
    val bytes = new Array[Byte](length)
    var have = 0
    while (have < length) {
      val leftMs = ((deadline - System.nanoTime) / 1000000).toInt
      if (leftMs <= 0) throw new SocketTimeoutException("no greeting in time")
      socket.setSoTimeout(leftMs)
      val count = socket.getInputStream.read(bytes, have, length - have)
      if (count < 0) throw new EOFException("no greeting")
      have += count
    }
    bytes
  }
}
