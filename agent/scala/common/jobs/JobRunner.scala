package livius.agent

/** What a job came to. */
sealed trait JobResult

object JobResult {

  /** It returned, maybe nothing. */
  final case class Ok(bytes: Option[Array[Byte]]) extends JobResult

  /** It did not return, and why: text for the user. */
  final case class Failed(error: String) extends JobResult
}

/** Runs the jobs of one language. Several jobs may run at once. */
trait JobRunner {

  /** Runs one job to its end. Called on a thread that is the job's own and has its Spark job group.
    *
    * @param group the Spark job group, for runners whose code starts Spark jobs from another process or thread
    */
  def run(job: Int, group: String, payload: Array[Byte]): JobResult

  /** Asks a running job to stop, from another thread. May be called again while the job runs; harmless when it is over. Its
    * Spark jobs are cancelled besides.
    */
  def cancel(job: Int): Unit

  /** Ends the running job by force, some time after `cancel`. Answers false where there is no such means: the server is then
    * told that the job is cancelled, whatever its code still does.
    */
  def kill(job: Int): Boolean = false
}
