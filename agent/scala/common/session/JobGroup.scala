package livius.agent

import org.apache.spark.SparkContext

/** A group of Spark jobs: its name, and its description in Spark's UI. */
final case class JobGroup(name: String, description: String) {

  /** Puts the later jobs of the calling thread, and of the threads that it starts, into the group.
    * The mark stays when the code sets a group of its own.
    */
  def enter(context: SparkContext): Unit = {
    context.setJobGroup(name, description, interruptOnCancel = true)
    context.setLocalProperty(JobGroup.Mark, name)
  }
}

object JobGroup {

  /** The local property of Spark that names the work of a job. */
  val Mark = "livius.work"
}

/** The job groups of one session. The names begin with the session's, because two sessions on one
  * driver must not share one.
  */
final class JobGroups(session: Option[Int]) {

  /** The group of a statement. In the driver's only session its name is the statement's number, as
    * in Livy.
    */
  def statement(id: Int): JobGroup = group(id.toString, s"statement $id")

  def job(id: Int): JobGroup = group(s"job-$id", s"job $id")

  private def group(name: String, of: String): JobGroup = session match {
    case None => JobGroup(name, s"Job group for $of")
    case Some(number) => JobGroup(s"session-$number-$name", s"Job group for $of of session $number")
  }
}
