package livius.agent

import java.io.{PrintWriter, StringWriter}

/** Stack traces as lines, each ending in a newline. */
object StackTraces {

  def lines(error: Throwable): Seq[String] = splitLines(text(error))

  def text(error: Throwable): String = {
    val into = new StringWriter
    error.printStackTrace(new PrintWriter(into, true))
    into.toString
  }

  /** The message, or the class where there is none. */
  def message(error: Throwable): String = Option(error.getMessage).getOrElse(error.getClass.getName)

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
