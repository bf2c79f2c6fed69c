package livius.agent

import java.io.{BufferedInputStream, Closeable, DataInputStream, IOException}
import java.net.Socket
import java.nio.ByteBuffer
import java.security.SecureRandom

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

private[agent] object Secrets {
  private val random = new SecureRandom

  def hex(bytes: Int): String = {
    val secret = new Array[Byte](bytes)
    random.nextBytes(secret)
    secret.map(byte => f"${byte & 0xff}%02x").mkString
  }
}
