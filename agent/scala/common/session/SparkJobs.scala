package livius.agent

import org.apache.spark.{JobExecutionStatus, SparkContext, SparkJobInfo}

/** The Spark jobs that one statement or job starts: they share a job group. */
final class SparkJobs(context: () => Option[SparkContext]) {

  /** Puts the later jobs of the calling thread into the group. */
  def adopt(group: JobGroup): Unit = live.foreach(_.setJobGroup(group.name, group.description, interruptOnCancel = true))

  def cancel(group: JobGroup): Unit = live.foreach(_.cancelJobGroup(group.name))

  /** As `cancel`, but only if jobs run: Spark logs each request. */
  def cancelIfAny(group: JobGroup): Unit =
    if (live.exists(spark => jobs(spark, group).exists(_.status == JobExecutionStatus.RUNNING))) cancel(group)

  /** Finished tasks over all tasks of the group's stages, once there are any. */
  def progress(group: JobGroup): Option[Double] = live.flatMap { spark =>
    val tracker = spark.statusTracker
    val stages = jobs(spark, group)
      .flatMap(_.stageIds().toSeq).distinct
      .flatMap(stage => tracker.getStageInfo(stage).toSeq)
    val total = stages.map(_.numTasks.toLong).sum
    if (total == 0) None else Some(math.min(1.0, stages.map(_.numCompletedTasks.toLong).sum.toDouble / total))
  }

  private def jobs(spark: SparkContext, group: JobGroup): Seq[SparkJobInfo] =
    spark.statusTracker.getJobIdsForGroup(group.name).toSeq.flatMap(job => spark.statusTracker.getJobInfo(job).toSeq)

  /** Tells whether the SparkContext has stopped. */
  def contextIsStopped: Boolean = context().exists(_.isStopped)

  private def live: Option[SparkContext] = context().filterNot(_.isStopped)
}
