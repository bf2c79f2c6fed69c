package livius.agent

import com.fasterxml.jackson.databind.node.ObjectNode

/** What the agent tells the server, put into the outbox and announced to the link. */
final class Events(outbox: Outbox, wake: () => Unit) {

  def started(statement: Int): Unit = add(Frames.started(statement))

  /** Tells a statement's end. Waits while the outbox is full: a long output goes as fast as the server takes it. */
  def finished(statement: Int, cancelled: Boolean, document: String): Unit =
    if (document.length <= Documents.WholeChars) add(Frames.finished(statement, cancelled, Some(document), chunks = 0))
    else add(Frames.finished(statement, cancelled, None, chunked(statement, document)))

  def ready(appId: String, sparkUiUrl: Option[String], sparkUser: String, master: String): Unit =
    add(Frames.ready(appId, sparkUiUrl, sparkUser, master))

  /** Last words: said at once, and waited for only so long. */
  def failed(phase: String, message: String, detail: String): Unit = last(Frames.failed(phase, message, detail))

  def stopped(reason: String): Unit = last(Frames.stopped(reason))

  private def chunked(statement: Int, document: String): Int =
    Documents.pieces(document).foldLeft(0) { (index, piece) =>
      add(Frames.chunk(statement, index, piece))
      index + 1
    }

  private def add(event: ObjectNode): Unit = {
    outbox.add(event)
    wake()
  }

  private def last(event: ObjectNode): Unit = {
    outbox.addNow(event)
    wake()
    outbox.awaitEmpty(LastWordsMs)
  }

  private val LastWordsMs = 2000L
}
