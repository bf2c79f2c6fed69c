package livius.agent

import org.apache.spark.{JobExecutionStatus, SparkContext, SparkJobInfo}

/** The Spark jobs of one statement: they share a job group whose name is the statement's id, as in Livy. */
final class SparkJobs(context: () => Option[SparkContext]) {

  /** Puts the calling thread's coming jobs into the statement's group. */
  def adopt(statement: Int): Unit =
    live.foreach(_.setJobGroup(group(statement), s"Job group for statement $statement", interruptOnCancel = true))

  def cancel(statement: Int): Unit = live.foreach(_.cancelJobGroup(group(statement)))

  /** The same where it is often in vain: Spark logs each request. */
  def cancelIfAny(statement: Int): Unit =
    if (live.exists(spark => jobs(spark, statement).exists(_.status == JobExecutionStatus.RUNNING))) cancel(statement)

  /** Finished tasks over all tasks of the statement's stages, once there are any. */
  def progress(statement: Int): Option[Double] = live.flatMap { spark =>
    val tracker = spark.statusTracker
    val stages = jobs(spark, statement)
      .flatMap(_.stageIds().toSeq).distinct
      .flatMap(stage => tracker.getStageInfo(stage).toSeq)
    val total = stages.map(_.numTasks.toLong).sum
    if (total == 0) None else Some(math.min(1.0, stages.map(_.numCompletedTasks.toLong).sum.toDouble / total))
  }

  private def jobs(spark: SparkContext, statement: Int): Seq[SparkJobInfo] =
    spark.statusTracker.getJobIdsForGroup(group(statement)).toSeq.flatMap(job => spark.statusTracker.getJobInfo(job).toSeq)

  private def group(statement: Int): String = statement.toString

  /** Whether there was a SparkContext and it is of no use any more. */
  def contextIsStopped: Boolean = context().exists(_.isStopped)

  private def live: Option[SparkContext] = context().filterNot(_.isStopped)
}
