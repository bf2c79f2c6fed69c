package livius.agent

import java.util.concurrent.{ArrayBlockingQueue, RejectedExecutionException, ThreadFactory, ThreadPoolExecutor, TimeUnit}

import com.fasterxml.jackson.databind.JsonNode

/** Answers completion requests on its own thread. Does not wait for a statement: while one runs
  * there are no candidates.
  */
final class Completions(interpreters: Interpreters, statements: Statements, events: SessionEvents) {

  private val worker = new ThreadPoolExecutor(0, 1, 10, TimeUnit.SECONDS, new ArrayBlockingQueue[Runnable](16), new ThreadFactory {
    def newThread(task: Runnable): Thread = {
      val thread = new Thread(task, "livius-completions")
      thread.setDaemon(true)
      thread
    }
  })

  def answer(request: JsonNode, kind: String, code: String, cursor: Int): Unit =
    try worker.execute(() => tell(request, candidates(kind, code, cursor)))
    catch { case _: RejectedExecutionException => tell(request, Nil) }

  private def candidates(kind: String, code: String, cursor: Int): Seq[String] =
    if (statements.running.isDefined) Nil
    else
      try interpreters.alive(kind).map(_.complete(code, math.max(0, math.min(cursor, code.length)))).getOrElse(Nil)
      catch { case error: Throwable => Log.line(s"cannot complete: $error"); Nil }

  private def tell(request: JsonNode, candidates: Seq[String]): Unit = events.completed(request, candidates)
}
