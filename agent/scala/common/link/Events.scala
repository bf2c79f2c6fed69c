package livius.agent

import com.fasterxml.jackson.databind.node.ObjectNode

/** Tells the server about the driver as a whole. */
final class Events(outbox: Outbox, wake: () => Unit) {

  def ready(appId: String, sparkUiUrl: Option[String], sparkUser: String, master: String): Unit = {
    outbox.add(Frames.ready(appId, sparkUiUrl, sparkUser, master))
    wake()
  }

  /** The SparkContext is up. The first interpreter may not be yet. */
  def contextUp(appId: String, sparkUiUrl: Option[String]): Unit = {
    outbox.addNow(Frames.contextUp(appId, sparkUiUrl))
    wake()
  }

  /** The JVM is warm and waits for a session. */
  def primed(): Unit = {
    outbox.addNow(Frames.primed())
    wake()
  }

  /** The session's settings have been applied, or cannot be. */
  def begun(error: Option[String]): Unit = {
    outbox.addNow(Frames.begun(error))
    wake()
  }

  /** There is no SparkContext any more. The server ends the driver then. */
  def contextStopped(message: String): Unit = {
    outbox.addNow(Frames.contextStopped(message))
    wake()
  }

  /** The driver's last event: sent at once, and waited for only briefly. */
  def failed(phase: String, message: String, detail: String): Unit = last(Frames.failed(phase, message, detail))

  def stopped(reason: String): Unit = last(Frames.stopped(reason))

  private def last(event: ObjectNode): Unit = {
    outbox.addNow(event)
    wake()
    outbox.awaitEmpty(LastWordsMs)
  }

  private val LastWordsMs = 2000L
}
