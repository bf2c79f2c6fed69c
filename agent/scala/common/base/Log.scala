package livius.agent

/** The agent's lines in the session log, which is the driver's stderr. */
object Log {

  // Taken once: user code may replace System.err.
  private val stream = System.err

  def line(message: String): Unit = stream.println(s"livius: $message")

  def line(message: String, cause: Throwable): Unit = line(s"$message: ${StackTraces.text(cause)}")
}
