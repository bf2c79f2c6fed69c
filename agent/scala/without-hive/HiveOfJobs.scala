package livius.agent

import org.apache.livy.HiveJobContext

/** The part of a job's context that would need Spark's Hive classes. */
trait HiveOfJobs extends HiveJobContext
