package livius.agent

/** Spark's name for the Spark jobs that belong together, and what its UI says of them. */
final case class JobGroup(name: String, description: String)

object JobGroup {

  /** That of a statement: its number, as in Livy. */
  def statement(id: Int): JobGroup = JobGroup(id.toString, s"Job group for statement $id")

  def job(id: Int): JobGroup = JobGroup(s"job-$id", s"Job group for job $id")
}
