package livius.agent

/** Spark's own submission: a process that ends when the master has accepted the job. */
object Submission {

  /** Starts the process. It writes to the job's log, as this process does. */
  def start(order: SubmitOrder): Process = {
    val builder = new ProcessBuilder(order.command: _*).inheritIO()
    val environment = builder.environment
    // Spark passes all of this environment to the cluster's driver. The server marks its own
    // processes with these variables, and would end a marked driver that runs on this machine.
    environment.keySet.removeIf(_.startsWith(OurOwn))
    order.environment.foreach { case (name, value) => environment.put(name, value) }
    builder.start()
  }

  private val OurOwn = "LIVIUS_"
}
