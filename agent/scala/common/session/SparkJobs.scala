package livius.agent

import java.util.Properties

import scala.collection.mutable

import org.apache.spark.SparkContext
import org.apache.spark.livius.RunningContext

/** Knows which Spark jobs belong to which statement or job of the sessions, on every SparkContext
  * that the driver has had.
  *
  * Code may start Spark jobs on threads that carry no mark, or the mark of the statement that made
  * the thread. So a mark counts only while its work is in hand. All other Spark jobs belong to the
  * running statement, except for those of streaming queries.
  */
final class SparkJobs {

  import SparkJobs._

  private val inHand = mutable.LinkedHashMap.empty[String, Work]
  // Cancelled work that has ended since the last statement began.
  private var lately: Vector[Work] = Vector.empty
  @volatile private var contexts: List[ContextJobs] = Nil

  /** Begins to follow that work's Spark jobs. */
  def begin(work: Work): Unit = {
    watch()
    synchronized {
      if (work.isStatement) lately = Vector.empty
      inHand.put(work.group.name, work): Unit
    }
  }

  /** The work is over. Spark jobs that it has left go on, unless it was cancelled. */
  def end(work: Work): Unit = {
    work.ended = Some(System.currentTimeMillis)
    synchronized {
      inHand.remove(work.group.name)
      if (work.isCancelled) lately = (lately :+ work).takeRight(MostRemembered)
    }
    if (!work.isCancelled) forget(work)
  }

  /** Stops to follow the Spark jobs that the work has left. */
  def forget(work: Work): Unit = live.foreach(_.forget(work))

  /** Puts the later Spark jobs of the calling thread into the work's group. */
  def enter(work: Work): Unit = RunningContext.now.foreach(work.group.enter)

  /** Cancels the work's Spark jobs. */
  def cancel(work: Work): Unit = {
    watch()
    live.foreach(_.cancel(work))
  }

  /** Cancels by the group too: it reaches jobs that no listener has been told of. */
  def cancelGroup(work: Work): Unit = {
    watch()
    live.foreach(_.context.cancelJobGroup(work.group.name))
    cancel(work)
  }

  /** The stages of that work that run. */
  def stages(work: Work): Seq[StageProgress] = live.flatMap(_.running(work))

  /** Tells whether Spark jobs of that work are active. */
  def hasAny(work: Work): Boolean = live.exists(_.hasAny(work))

  /** Tells whether tasks run that a cancelled job of that work has left. */
  def hasLeft(work: Work): Boolean = live.exists(_.hasLeft(work))

  /** Follows the SparkContext of this driver, which the user's code may have replaced. */
  def watch(): Unit = RunningContext.now.filterNot(context => contexts.exists(_.context eq context)).foreach(follow)

  private def follow(context: SparkContext): Unit = synchronized {
    if (!contexts.exists(_.context eq context)) {
      val jobs = new ContextJobs(context, owner)
      context.addSparkListener(jobs)
      contexts = jobs :: contexts.filterNot(_.context.isStopped)
      takeActive(jobs)
    }
  }

  private def live: List[ContextJobs] = contexts.filterNot(_.context.isStopped)

  private def takeActive(jobs: ContextJobs): Unit = {
    val tracker = jobs.context.statusTracker
    for (id <- tracker.getActiveJobIds(); job <- tracker.getJobInfo(id)) {
      val stages = job.stageIds().toSeq.flatMap(tracker.getStageInfo(_)).map(info => StageFacts(info.stageId, info.name, info.numTasks))
      jobs.take(id, stages)
    }
  }

  private def owner(properties: Properties, at: Long): Option[Work] =
    if (OfStreams.exists(properties.getProperty(_) != null)) None
    else synchronized(marked(properties.getProperty(JobGroup.Mark)).orElse(unmarked(at)))

  private def marked(mark: String): Option[Work] =
    inHand.get(mark).orElse(if (statements.nonEmpty) None else lately.find(_.group.name == mark))

  private def unmarked(at: Long): Option[Work] = only(statements).orElse(only(inHand.values)) match {
    case Some(work) => Some(work).filter(_.began <= at)
    case None if inHand.isEmpty => lately.lastOption.filter(_.ended.exists(ended => at - ended <= LingerMs))
    case None => None
  }

  private def statements: Iterable[Work] = inHand.values.filter(_.isStatement)

  private def only(works: Iterable[Work]): Option[Work] = if (works.size == 1) works.headOption else None
}

private object SparkJobs {

  /** The local properties of the jobs of streaming queries, and of the older streams. */
  private val OfStreams = Seq("sql.streaming.queryId", "spark.streaming.internal.batchTime")

  private val MostRemembered = 64

  /** How long Spark jobs without a mark count as those of the work that was cancelled last. */
  private val LingerMs = 5000L
}
