package livius.agent

/** A statement or a job of the session, as the owner of Spark jobs. */
final class Work(val group: JobGroup, val isStatement: Boolean) {

  /** When it began, in epoch milliseconds. A Spark job from before is not its own. */
  val began: Long = System.currentTimeMillis

  /** When it was over, in epoch milliseconds. */
  @volatile var ended: Option[Long] = None

  /** True if it is to stop: then its Spark jobs are cancelled as they start. */
  @volatile var isCancelled = false

  /** True once what it has left is not followed any more. */
  @volatile var isForgotten = false

  /** When a Spark job of it last began after it was cancelled, in `System.nanoTime`. */
  @volatile var lateJobAt: Option[Long] = None

  private var tasks = 0L
  private var done = 0L

  /** Counts the tasks of a Spark job that starts. */
  def add(count: Long): Unit = synchronized { tasks += count }

  /** Counts one task that has succeeded. */
  def complete(): Unit = synchronized { done += 1 }

  /** Forgets tasks that no job needs any more: those of skipped stages and of failed jobs. */
  def drop(count: Long): Unit = synchronized { tasks -= count }

  /** Finished tasks over all tasks of its Spark jobs so far, once there are any. Another job may
    * follow, so it goes back then, and is never 1.
    */
  def progress: Option[Double] = synchronized {
    if (tasks <= 0) None else Some(math.min(Work.Most, done.toDouble / tasks))
  }
}

object Work {

  /** The most progress of work that is not over. */
  private val Most = 0.99
}
