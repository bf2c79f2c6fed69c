package livius.agent

/** Spark's name for the Spark jobs that belong together, and what its UI says of them. */
final case class JobGroup(name: String, description: String)

/** The job groups of one session. Two sessions on one driver must not share any, so the names begin with the session's. */
final class JobGroups(session: Option[Int]) {

  /** That of a statement: in the driver's only session its number, as in Livy. */
  def statement(id: Int): JobGroup = group(id.toString, s"statement $id")

  def job(id: Int): JobGroup = group(s"job-$id", s"job $id")

  private def group(name: String, of: String): JobGroup = session match {
    case None => JobGroup(name, s"Job group for $of")
    case Some(number) => JobGroup(s"session-$number-$name", s"Job group for $of of session $number")
  }
}
