#!/bin/sh
case "$*" in
  *-XshowSettings*) echo "  java.home = ${0%/bin/java}"; echo "  java.version = 17.0.1" ;;
  *scala.tools.nsc.Main*) : ;;
  *livius.agent.Training*)
    for word; do
      case "$word" in -XX:ArchiveClassesAtExit=*) echo classes > "${word#*=}" ;; esac
    done
    echo "livius-training done" ;;
  *org.apache.spark.launcher.Main*) printf '%s\0' "$0" -cp /x -Xmx1g --a-flag org.apache.spark.deploy.SparkSubmit --version ;;
  *livius.agent.Main*|*livius.test.Application*|*livius.agent.StandaloneSubmit*) eval "$BEHAVIOUR" ;;
  *livius.agent.SelfCheck*) echo "livius-self-check ok 4.1.4" ;;
  *) exit 99 ;;
esac
