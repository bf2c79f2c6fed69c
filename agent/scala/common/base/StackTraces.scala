package livius.agent

import java.io.{PrintWriter, StringWriter}
import java.nio.charset.StandardCharsets.UTF_8

import scala.annotation.tailrec

/** Stack traces as lines, each ending in a newline. */
object StackTraces {

  def lines(error: Throwable): Seq[String] = splitLines(text(error))

  def text(error: Throwable): String = {
    val into = new StringWriter
    error.printStackTrace(new PrintWriter(into, true))
    into.toString
  }

  /** The message, or the class name if there is none. */
  def message(error: Throwable): String = Option(error.getMessage).getOrElse(error.getClass.getName)

  /** The text cut to at most that many bytes of UTF-8. Keeps the beginning, and the end, where the
    * innermost cause stands.
    */
  def bounded(text: String, most: Int): String = {
    val bytes = text.getBytes(UTF_8)
    if (bytes.length <= most) text
    else {
      val tail = characterAt(bytes, bytes.length - most / 4)
      val head = characterAt(bytes, most - (bytes.length - tail) - Cut.length)
      new String(bytes, 0, head, UTF_8) + Cut + new String(bytes, tail, bytes.length - tail, UTF_8)
    }
  }

  /** The index of the first byte of the character that this byte belongs to. */
  @tailrec
  private def characterAt(bytes: Array[Byte], at: Int): Int = if ((bytes(at) & 0xC0) == 0x80) characterAt(bytes, at - 1) else at

  private val Cut = "\n... (cut) ...\n"

  def splitLines(text: String): Seq[String] =
    if (text.isEmpty) Nil else text.split("\r?\n", -1).toList.reverse.dropWhile(_.isEmpty).reverse.map(_ + "\n")

  /** Cuts off the frames at and below the first one that `machinery` knows, as the REPL does. */
  def elided(error: Throwable, machinery: StackTraceElement => Boolean, show: StackTraceElement => String): String = {
    val out = new StringBuilder
    def one(cause: Throwable, label: String, depth: Int): Unit = {
      val (shown, hidden) = cause.getStackTrace.span(frame => !machinery(frame))
      out.append(label).append(cause).append('\n')
      shown.foreach(frame => out.append("  at ").append(show(frame)).append('\n'))
      if (hidden.nonEmpty) out.append(s"  ... ${hidden.length} elided\n")
      val next = cause.getCause
      if (next != null && (next ne cause) && depth < 16) one(next, "Caused by: ", depth + 1)
    }
    one(error, "", 0)
    out.toString
  }
}
