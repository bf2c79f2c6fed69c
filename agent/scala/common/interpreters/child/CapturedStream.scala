package livius.agent

import java.io.{ByteArrayOutputStream, IOException, InputStream}
import java.nio.charset.StandardCharsets.UTF_8
import java.util.concurrent.TimeUnit.{MILLISECONDS, NANOSECONDS}

/** The number of bytes that a statement may still print, over all its streams. Further output is
  * dropped, with a note.
  */
final class OutputBudget(limit: Int) {
  private var left = limit
  private var exceeded = false

  def take(wanted: Int): Int = synchronized {
    val granted = math.min(wanted, left)
    left -= granted
    exceeded ||= granted < wanted
    granted
  }

  def note: String = synchronized { if (exceeded) s"\n... output cut at $limit bytes" else "" }
}

/** One output pipe of a child process, read for as long as the child lives, so that the child never
  * blocks on it.
  *
  * Output between `begin` and the statement's marker belongs to the statement. All other output
  * goes to the driver's log.
  */
final class CapturedStream(name: String, in: InputStream) {
  private val lock = new Object
  private var statement: Option[Capture] = None
  private val last = new LastBytes(8192)
  private var ended = false

  private val reader = Threads.daemon(name)(drain())

  /** From here on output belongs to a statement, until the marker is read. */
  def begin(marker: Array[Byte], budget: OutputBudget, live: LiveStream): Unit = lock.synchronized {
    statement = Some(new Capture(marker, budget, live))
  }

  /** The statement's output. Waits until the marker was read, the pipe has ended or the time is
    * over.
    */
  def end(timeoutMs: Long): String = lock.synchronized {
    val deadline = System.nanoTime + MILLISECONDS.toNanos(timeoutMs)
    def leftMs: Long = NANOSECONDS.toMillis(deadline - System.nanoTime)
    while (!ended && statement.exists(!_.complete) && leftMs > 0) lock.wait(leftMs)
    val text = statement.fold("")(_.text)
    statement = None
    text
  }

  /** The newest lines, to explain the end of the process. */
  def lastLines: Seq[String] = lock.synchronized { CapturedStream.lines(last.text) }

  /** Waits until the pipe has ended: for reports of a process that is known to be dead. */
  def awaitEnd(timeoutMs: Long): Unit = reader.join(timeoutMs)

  private def drain(): Unit = {
    val buffer = new Array[Byte](64 * 1024)
    try {
      var count = in.read(buffer)
      while (count >= 0) {
        accept(buffer, count)
        count = in.read(buffer)
      }
    } catch {
      case _: IOException => // this side has closed the pipe, because it ends the child
    } finally lock.synchronized {
      ended = true
      lock.notifyAll()
    }
  }

  private def accept(buffer: Array[Byte], count: Int): Unit = {
    val stray = lock.synchronized {
      val rest = statement.filter(!_.complete).fold(buffer.take(count))(_.accept(buffer, count))
      last.add(buffer, count)
      lock.notifyAll()
      rest
    }
    CapturedStream.lines(new String(stray, UTF_8)).foreach(line => Log.line(s"$name: ${line.stripLineEnd}"))
  }
}

object CapturedStream {

  private[agent] def joined(first: Array[Byte], buffer: Array[Byte], count: Int): Array[Byte] = {
    val all = java.util.Arrays.copyOf(first, first.length + count)
    System.arraycopy(buffer, 0, all, first.length, count)
    all
  }

  /** Text as lines that keep their ends. */
  def lines(text: String): Seq[String] =
    if (text.isEmpty) Nil else text.split("(?<=\n)").toList.map(line => if (line.endsWith("\n")) line else line + "\n")
}

/** The output of one statement in one stream. */
private final class Capture(marker: Array[Byte], budget: OutputBudget, live: LiveStream) {
  private val kept = new ByteArrayOutputStream
  // The bytes at the end that may turn out to be the beginning of the marker.
  private var held = Array.emptyByteArray

  var complete = false

  def text: String = {
    keep(held, held.length)
    held = Array.emptyByteArray
    new String(kept.toByteArray, UTF_8)
  }

  /** Takes bytes and returns those after the marker, which are not the statement's. */
  def accept(buffer: Array[Byte], count: Int): Array[Byte] = {
    val bytes = CapturedStream.joined(held, buffer, count)
    val at = find(bytes)
    if (at >= 0) {
      keep(bytes, at)
      held = Array.emptyByteArray
      complete = true
      bytes.drop(at + marker.length)
    } else {
      val sure = bytes.length - beginning(bytes)
      keep(bytes, sure)
      held = bytes.drop(sure)
      Array.emptyByteArray
    }
  }

  private def keep(bytes: Array[Byte], count: Int): Unit = {
    val granted = budget.take(count)
    kept.write(bytes, 0, granted)
    if (granted > 0) live.write(bytes, 0, granted)
  }

  /** The length of the longest beginning of the marker that the bytes end with. */
  private def beginning(bytes: Array[Byte]): Int =
    (math.min(marker.length - 1, bytes.length) to 1 by -1)
      .find(length => bytes(bytes.length - length) == marker(0) && beginsAt(bytes, bytes.length - length, length))
      .getOrElse(0)

  private def find(bytes: Array[Byte]): Int = {
    var at = 0
    while (at <= bytes.length - marker.length) {
      if (bytes(at) == marker(0) && matches(bytes, at)) return at
      at += 1
    }
    -1
  }

  private def matches(bytes: Array[Byte], at: Int): Boolean = beginsAt(bytes, at, marker.length)

  private def beginsAt(bytes: Array[Byte], at: Int, length: Int): Boolean = (0 until length).forall(i => bytes(at + i) == marker(i))
}

/** The end of a stream, in bounded space. */
private final class LastBytes(size: Int) {
  private var bytes = Array.emptyByteArray

  def add(buffer: Array[Byte], count: Int): Unit =
    bytes = CapturedStream.joined(bytes, buffer, count).takeRight(size)

  def text: String = new String(bytes, UTF_8)
}
