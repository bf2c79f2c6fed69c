package livius.agent

import java.io.{BufferedInputStream, Closeable, DataInputStream, EOFException, IOException}
import java.net.{InetAddress, ServerSocket, Socket, SocketTimeoutException}
import java.nio.ByteBuffer
import java.nio.charset.StandardCharsets.UTF_8
import java.security.{MessageDigest, SecureRandom}

/** A connection that a child process made to the agent: frames of four bytes of length and a body.
  */
final class ChildChannel(socket: Socket, val pid: Long) extends Closeable {
  socket.setTcpNoDelay(true)
  private val in = new DataInputStream(new BufferedInputStream(socket.getInputStream, 64 * 1024))
  private val out = socket.getOutputStream

  def send(body: Array[Byte]): Unit = {
    val frame = ByteBuffer.allocate(4 + body.length).putInt(body.length).put(body)
    out.write(frame.array)
  }

  /** The next frame. Throws an IOException when the child is gone, or sends nothing for that time
    * (0: no limit).
    */
  def receive(timeoutMs: Int = 0): Array[Byte] = {
    socket.setSoTimeout(timeoutMs)
    val length = in.readInt()
    if (length < 0 || length > ChildChannel.LongestFrame) throw new IOException(s"a frame of $length bytes")
    val body = new Array[Byte](length)
    in.readFully(body)
    body
  }

  override def close(): Unit = socket.close()
}

object ChildChannel {
  private val LongestFrame = 1 << 30
}

/** The server socket for one child. Any process of this machine can connect, but the agent accepts
  * only one that sends the child's secret.
  */
final class ChildListener extends Closeable {
  private val server = new ServerSocket(0, 16, InetAddress.getByName("127.0.0.1"))

  val secret: String = Secrets.hex(32)

  def port: Int = server.getLocalPort

  /** The child's connection for one purpose; the child makes them in the order in which they are
    * asked for.
    */
  def accept(role: String, timeoutMs: Int): ChildChannel = {
    server.setSoTimeout(timeoutMs)
    Iterator.continually(admit(server.accept(), role)).collectFirst { case Some(channel) => channel }.get
  }

  override def close(): Unit = server.close()

  /** The first frame of a connection is `<secret> <role> <pid>`. */
  private def admit(socket: Socket, role: String): Option[ChildChannel] = {
    val pid = try greeting(socket) match {
      case Array(shown, `role`, pid) if sameSecret(shown) => Some(pid.toLong)
      case _ => None
    } catch {
      case _: SocketTimeoutException | _: EOFException | _: IOException | _: NumberFormatException => None
    }
    if (pid.isEmpty) socket.close()
    pid.map(new ChildChannel(socket, _))
  }

  private def greeting(socket: Socket): Array[String] = {
    socket.setSoTimeout(5000) // an unknown process that sends nothing must not delay the child
    val in = new DataInputStream(socket.getInputStream)
    val length = in.readInt()
    if (length < 0 || length > 256) throw new IOException("no greeting")
    val body = new Array[Byte](length)
    in.readFully(body)
    new String(body, UTF_8).split(' ')
  }

  private def sameSecret(shown: String): Boolean = MessageDigest.isEqual(shown.getBytes(UTF_8), secret.getBytes(UTF_8))
}

private[agent] object Secrets {
  private val random = new SecureRandom

  def hex(bytes: Int): String = {
    val secret = new Array[Byte](bytes)
    random.nextBytes(secret)
    secret.map(byte => f"${byte & 0xff}%02x").mkString
  }
}
