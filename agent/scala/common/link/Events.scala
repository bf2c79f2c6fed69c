package livius.agent

import com.fasterxml.jackson.databind.node.ObjectNode

/** What the agent tells the server, put into the outbox and announced to the link. */
final class Events(outbox: Outbox, wake: () => Unit) {

  def started(statement: Int): Unit = add(Frames.started(statement))

  /** Tells a statement's end. Waits while the outbox is full: a long output goes as fast as the server takes it. */
  def finished(statement: Int, cancelled: Boolean, document: String): Unit =
    if (document.length <= Documents.WholeChars) add(Frames.finished(statement, cancelled, Some(document), chunks = 0))
    else add(Frames.finished(statement, cancelled, None, chunked(statement, document)))

  def jobStarted(job: Int): Unit = add(Frames.jobStarted(job))

  /** Tells a job's result. Waits while the outbox is full: a long one goes as fast as the server takes it. */
  def jobSucceeded(job: Int, result: Option[Array[Byte]]): Unit = result match {
    case Some(bytes) if bytes.length > JobResults.WholeBytes =>
      add(Frames.jobFinished(job, "succeeded", chunks = chunked(job, bytes)))
    case few => add(Frames.jobFinished(job, "succeeded", result = few.map(JobResults.text)))
  }

  def jobFailed(job: Int, why: String): Unit = add(jobFailure(job, why))

  def jobCancelled(job: Int): Unit = add(Frames.jobFinished(job, "cancelled"))

  /** The same as a failure, said without waiting. */
  def jobRefused(job: Int, why: String): Unit = now(jobFailure(job, why))

  def resourceAdded(resource: Int, error: Option[String]): Unit = add(Frames.resourceAdded(resource, error))

  /** The same without waiting. */
  def resourceRefused(resource: Int, error: String): Unit = now(Frames.resourceAdded(resource, Some(error)))

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

  private def jobFailure(job: Int, why: String): ObjectNode =
    Frames.jobFinished(job, "failed", error = Some(StackTraces.bounded(why, JobResults.ErrorBytes)))

  private def now(event: ObjectNode): Unit = {
    outbox.addNow(event)
    wake()
  }

  private def chunked(job: Int, result: Array[Byte]): Int = JobResults.pieces(result).foldLeft(0) { (index, piece) =>
    add(Frames.jobChunk(job, index, piece))
    index + 1
  }

  private def add(event: ObjectNode): Unit = {
    outbox.add(event)
    wake()
  }

  private def last(event: ObjectNode): Unit = {
    now(event)
    outbox.awaitEmpty(LastWordsMs)
  }

  private val LastWordsMs = 2000L
}
