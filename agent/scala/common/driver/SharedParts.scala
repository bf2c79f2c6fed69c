package livius.agent

/** The parts of a driver that its sessions share. */
final case class SharedParts(spark: SharedSpark, context: ContextWatch, jobs: SparkJobs, classes: ReplClasses)
