package livius.agent

import java.io.ByteArrayOutputStream
import java.nio.charset.StandardCharsets.UTF_8

/** The text that one statement printed, in order, up to a limit.
  *
  * @param live gets it at once
  */
final class Printout(limit: Int, live: LiveStream) {

  private val kept = new ByteArrayOutputStream
  private var dropped = 0L

  def write(bytes: Array[Byte], from: Int, count: Int): Unit = synchronized {
    val room = math.min(count, limit - kept.size)
    kept.write(bytes, from, room)
    if (room > 0) live.write(bytes, from, room)
    dropped += count - room
  }

  def print(text: String): Unit = {
    val bytes = text.getBytes(UTF_8)
    write(bytes, 0, bytes.length)
  }

  def text: String = synchronized {
    val whole = new String(kept.toByteArray, UTF_8)
    if (dropped == 0) whole
    // The cut may have hit the middle of a character.
    else s"${whole.stripSuffix("\ufffd")}\n... livius: output cut, $dropped bytes more\n"
  }
}
