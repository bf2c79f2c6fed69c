package livius.agent

import java.util.Properties

import scala.collection.mutable

import org.apache.spark.{SparkContext, Success}
import org.apache.spark.scheduler._

/** A stage that runs.
  *
  * @param done    its tasks that have succeeded
  * @param running its tasks that run
  */
final case class StageProgress(id: Int, name: String, tasks: Int, done: Int, running: Int)

/** A stage, as Spark tells of it when its job begins. */
private[agent] final case class StageFacts(id: Int, name: String, tasks: Int)

/** Follows the Spark jobs of one SparkContext that belong to a statement or a job of the session.
  *
  * @param owner the work that a Spark job belongs to, by its properties and its time of submission
  */
private[agent] final class ContextJobs(val context: SparkContext, owner: (Properties, Long) => Option[Work]) extends SparkListener {

  import ContextJobs._

  private val jobs = mutable.Map.empty[Int, Job]
  // The newest job of a stage. A stage stays here while tasks of it run, also after its job.
  private val stages = mutable.Map.empty[Int, Stage]

  /** Follows a job that began before the listener was there. */
  def take(id: Int, stages: Seq[StageFacts]): Unit = begin(id, new Properties, System.currentTimeMillis, stages)

  override def onJobStart(start: SparkListenerJobStart): Unit =
    begin(start.jobId, Option(start.properties).getOrElse(new Properties), start.time,
      start.stageInfos.map(stage => StageFacts(stage.stageId, stage.name, stage.numTasks)))

  override def onJobEnd(end: SparkListenerJobEnd): Unit = synchronized {
    for (job <- jobs.remove(end.jobId); id <- job.stages; stage <- stages.get(id) if stage.job == job) {
      job.work.drop(stage.tasks - stage.done)
      stage.isOver = true
      forgetIfIdle(id, stage)
    }
  }

  /** Spark may report a task of a cancelled job after the end of that job, and then lets it run. */
  override def onTaskStart(start: SparkListenerTaskStart): Unit = {
    val task = start.taskInfo.taskId
    val isLeft = synchronized {
      stages.get(start.stageId).exists { stage =>
        val isLeft = stage.isOver && stage.job.work.isCancelled
        stage.running.put(task, if (isLeft) Some(System.nanoTime) else None)
        isLeft
      }
    }
    if (isLeft) kill(task)
  }

  override def onTaskEnd(end: SparkListenerTaskEnd): Unit = synchronized {
    stages.get(end.stageId).foreach { stage =>
      if (end.taskInfo != null) stage.running -= end.taskInfo.taskId
      // A second attempt of a stage, or of a slow task, must not count twice.
      if (end.reason == Success && !stage.isOver && stage.done < stage.tasks) {
        stage.done += 1
        stage.job.work.complete()
      }
      forgetIfIdle(end.stageId, stage)
    }
  }

  /** The stages of that work that run, oldest first. */
  def running(work: Work): Seq[StageProgress] = synchronized {
    val active = stages.toSeq.filter { case (_, stage) => stage.job.work == work && !stage.isOver && stage.running.nonEmpty }
    active.sortBy(_._1).take(MostStages).map { case (id, stage) =>
      StageProgress(id, stage.name.take(LongestName), stage.tasks, stage.done, stage.running.size)
    }
  }

  /** Tells whether jobs of that work are active. */
  def hasAny(work: Work): Boolean = synchronized(jobs.values.exists(_.work == work))

  /** Tells whether tasks run that a cancelled job of that work has left. */
  def hasLeft(work: Work): Boolean = synchronized(leftStages(work).exists(_.running.nonEmpty))

  /** Cancels the active jobs of that work, and ends the tasks that a cancelled job has left: Spark
    * lets a task run to its end if the job was submitted outside of the statement's thread.
    */
  def cancel(work: Work): Unit = {
    val (active, left) = synchronized {
      (jobs.collect { case (id, job) if job.work == work => id }.toList, leftStages(work).flatMap(_.due()).toList)
    }
    active.foreach(context.cancelJob(_, Reason))
    left.foreach(kill)
  }

  /** Forgets that work, which is over. */
  def forget(work: Work): Unit = synchronized {
    work.isForgotten = true
    jobs.filter(_._2.work == work).keys.toList.foreach(jobs.remove)
    stages.filter(_._2.job.work == work).keys.toList.foreach(stages.remove)
  }

  private def leftStages(work: Work): Iterable[Stage] =
    stages.values.filter(stage => stage.job.work == work && stage.isOver)

  private def kill(task: Long): Unit = context.killTaskAttempt(task, interruptThread = true, Reason): Unit

  private def begin(id: Int, properties: Properties, at: Long, stages: Seq[StageFacts]): Unit =
    for (work <- owner(properties, at)) {
      val isNew = synchronized(!jobs.contains(id) && { follow(new Job(id, work, stages.map(_.id)), stages); true })
      if (isNew && work.isCancelled) {
        work.lateJobAt = Some(System.nanoTime)
        context.cancelJob(id, Reason)
      }
    }

  private def follow(job: Job, facts: Seq[StageFacts]): Unit = {
    jobs.put(job.id, job)
    for (StageFacts(id, name, tasks) <- facts) {
      // Two active jobs may share a stage: its tasks count once.
      stages.get(id).filterNot(_.isOver).foreach(shared => shared.job.work.drop(shared.tasks - shared.done))
      val stage = new Stage(job, name, tasks)
      stages.get(id).foreach(earlier => stage.running ++= earlier.running)
      stages.put(id, stage)
      job.work.add(tasks)
    }
  }

  // A stage of cancelled work stays until the work is forgotten: a task of it may be reported late.
  private def forgetIfIdle(id: Int, stage: Stage): Unit = {
    val work = stage.job.work
    if (stage.isOver && stage.running.isEmpty && (!work.isCancelled || work.isForgotten)) stages.remove(id): Unit
  }
}

private object ContextJobs {

  private val Reason = "the statement or job that it belongs to was cancelled"

  /** The most stages that are told, and the longest name. */
  private val MostStages = 20
  private val LongestName = 200

  private val KillAgainNanos = 1000000000L

  private final class Job(val id: Int, val work: Work, val stages: Seq[Int])

  private final class Stage(val job: Job, val name: String, val tasks: Int) {
    /** The tasks that run, and when the agent last killed each. */
    val running: mutable.Map[Long, Option[Long]] = mutable.Map.empty
    var done = 0
    /** True if its job is over. */
    var isOver = false

    /** The tasks to kill now. Each kill interrupts the task's thread, and interrupts that follow each
      * other closely would disturb Spark's own end of a task.
      */
    def due(): Iterable[Long] = {
      val now = System.nanoTime
      val tasks = running.collect { case (task, last) if last.forall(now - _ >= KillAgainNanos) => task }.toList
      tasks.foreach(running.put(_, Some(now)))
      tasks
    }
  }
}
