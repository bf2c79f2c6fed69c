package livius.agent

import java.io.{PrintWriter, StringWriter}
import java.nio.charset.StandardCharsets.UTF_8

import scala.annotation.tailrec
import scala.util.{Failure, Success}

/** Stack traces as lines, each ending in a newline.
  *
  * An exception is the user's code too: what it is asked for may throw, may be null, or may be longer
  * than anybody reads. Nothing here throws.
  */
object StackTraces {

  def lines(error: Throwable): Seq[String] = splitLines(text(error))

  def text(error: Throwable): String = bounded(Attempt(printed(error)).getOrElse(title(error) + "\n"), LongestText)

  /** The message, or the class name if there is none. */
  def message(error: Throwable): String =
    Attempt(Option(error.getMessage)).toOption.flatten.fold(error.getClass.getName)(bounded(_, LongestText))

  /** The exception as it shows itself. */
  private def title(error: Throwable): String = Attempt(Option(error.toString)) match {
    case Success(shown) => bounded(shown.getOrElse("null"), LongestText)
    case Failure(broken) => s"${error.getClass.getName} (its text could not be made: ${broken.getClass.getName})"
  }

  /** The cause, if there is one and it can be told. */
  def cause(error: Throwable): Option[Throwable] =
    Attempt(Option(error.getCause)).toOption.flatten.filterNot(_ eq error)

  private def printed(error: Throwable): String = {
    val into = new StringWriter
    error.printStackTrace(new PrintWriter(into, true))
    into.toString
  }

  /** The text cut to at most that many bytes of UTF-8. Keeps the beginning, and the end, where the
    * innermost cause stands.
    */
  def bounded(text: String, most: Int): String = {
    val near = if (text.length <= 2 * most) text else text.substring(0, most) + text.substring(text.length - most)
    val bytes = near.getBytes(UTF_8)
    if (bytes.length <= most) near
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
    def one(each: Throwable, label: String, before: List[Throwable]): Unit = {
      val frames = Attempt(Option(each.getStackTrace)).toOption.flatten.fold(Seq.empty[StackTraceElement])(_.toSeq)
      val (shown, hidden) = frames.span(frame => !machinery(frame))
      out.append(label).append(title(each)).append('\n')
      shown.foreach(frame => out.append("  at ").append(show(frame)).append('\n'))
      if (hidden.nonEmpty) out.append(s"  ... ${hidden.length} elided\n")
      val told = each :: before
      if (told.length < MostCauses) cause(each).filterNot(next => told.exists(_ eq next)).foreach(one(_, "Caused by: ", told))
    }
    one(error, "", Nil)
    bounded(out.toString, LongestText)
  }

  /** An error's text is for reading. A longer text is data. */
  private val LongestText = 256 * 1024
  private val MostCauses = 16
}
