package livius.agent

/** The outcome of a job. */
sealed trait JobResult

object JobResult {

  /** It returned, with or without a value. */
  final case class Ok(bytes: Option[Array[Byte]]) extends JobResult

  /** It failed. The text tells the user why. */
  final case class Failed(error: String) extends JobResult
}

/** Runs the jobs of one language. Several jobs may run at once. */
trait JobRunner {

  /** Runs one job to its end. Called on a thread that is the job's own and has its Spark job group.
    *
    * @param group the Spark job group, for runners whose code starts Spark jobs from another
    *   process or thread
    */
  def run(job: Int, group: String, payload: Array[Byte]): JobResult

  /** Asks a running job to stop, from another thread. May be called again while the job runs;
    * harmless when it is over. The caller cancels the job's Spark jobs.
    */
  def cancel(job: Int): Unit

  /** Ends the running job by force, some time after `cancel`. Returns false if that is not
    * possible: the agent then tells the server that the job could not be stopped.
    */
  def kill(job: Int): Boolean = false
}
