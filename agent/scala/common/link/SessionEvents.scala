package livius.agent

import com.fasterxml.jackson.databind.JsonNode
import com.fasterxml.jackson.databind.node.ObjectNode

/** Tells the server about one session's work: puts events into the outbox and wakes the link.
  * Methods for numbered events return the number.
  */
final class SessionEvents(session: Option[Int], outbox: Outbox, link: Link) {

  /** Tells whether that event is still unacknowledged. */
  def isKept(seq: Long): Boolean = outbox.holds(seq)

  def started(statement: Int): Unit = add(Frames.started(statement)): Unit

  /** Tells a statement's end. Waits while the outbox is full: a long output is sent as fast as the
    * server takes it.
    */
  def finished(statement: Int, cancelled: Boolean, document: String): Long =
    if (document.length <= Documents.WholeChars) add(Frames.finished(statement, cancelled, Some(document), chunks = 0))
    else add(Frames.finished(statement, cancelled, None, chunked(statement, document)))

  /** As `finished` without waiting, for a short document. */
  def finishedNow(statement: Int, cancelled: Boolean, document: String): Long =
    now(Frames.finished(statement, cancelled, Some(document), chunks = 0))

  def progress(statement: Int, progress: Double, stages: Seq[StageProgress]): Unit =
    notice(Frames.progress(statement, progress, stages))

  /** Tells what a statement prints while it runs.
    *
    * @param offset the count of the bytes of that stream before the text
    * @param bytes  the count of the bytes that the text stands for
    */
  def output(statement: Int, stream: String, offset: Long, bytes: Int, text: String): Unit =
    notice(Frames.output(statement, stream, offset, bytes, text))

  def interpreters(running: Seq[RunningInterpreter]): Unit = notice(Frames.interpreters(running))

  def completed(request: JsonNode, candidates: Seq[String]): Unit = notice(Frames.completed(request, candidates))

  def jobStarted(job: Int): Unit = add(Frames.jobStarted(job)): Unit

  /** Tells a job's result. Waits while the outbox is full: a long result is sent as fast as the
    * server takes it.
    */
  def jobSucceeded(job: Int, result: Option[Array[Byte]]): Long = result match {
    case Some(bytes) if bytes.length > JobResults.WholeBytes =>
      add(Frames.jobFinished(job, "succeeded", chunks = chunked(job, bytes)))
    case few => add(Frames.jobFinished(job, "succeeded", result = few.map(JobResults.text)))
  }

  def jobFailed(job: Int, why: String): Long = add(jobFailure(job, why))

  def jobCancelled(job: Int): Long = add(Frames.jobFinished(job, "cancelled"))

  /** As `jobFailed` without waiting. */
  def jobRefused(job: Int, why: String): Long = now(jobFailure(job, why))

  def resourceAdded(resource: Int, error: Option[String]): Long = add(Frames.resourceAdded(resource, error))

  /** As `resourceAdded` without waiting. */
  def resourceRefused(resource: Int, error: String): Long = now(Frames.resourceAdded(resource, Some(error)))

  private def chunked(statement: Int, document: String): Int =
    Documents.pieces(document).foldLeft(0) { (index, piece) =>
      add(Frames.chunk(statement, index, piece))
      index + 1
    }

  private def jobFailure(job: Int, why: String): ObjectNode =
    Frames.jobFinished(job, "failed", error = Some(StackTraces.bounded(why, JobResults.ErrorBytes)))

  private def chunked(job: Int, result: Array[Byte]): Int = JobResults.pieces(result).foldLeft(0) { (index, piece) =>
    add(Frames.jobChunk(job, index, piece))
    index + 1
  }

  private def add(event: ObjectNode): Long = announced(outbox.add(Frames.ofSession(session, event)))

  private def now(event: ObjectNode): Long = announced(outbox.addNow(Frames.ofSession(session, event)))

  private def announced(seq: Long): Long = {
    link.wake()
    seq
  }

  private def notice(frame: ObjectNode): Unit = link.notice(Frames.ofSession(session, frame))
}
