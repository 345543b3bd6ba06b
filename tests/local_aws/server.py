"""Puts the emulated AWS together: moto's server, every correction, functions, events, control API.

Contract: `Server(settings)` listens when built, with everything deployed; `ready` is the JSON line that the command
prints. `stop` ends every process that it started.
"""

import gc
import logging
import os
import threading

from . import clients
from . import settings as constants
from .settings import Settings


class Server:
    def __init__(self, settings: Settings):
        self.settings = settings
        (settings.home / "logs").mkdir(parents=True, exist_ok=True)
        os.environ["AWS_DEFAULT_REGION"] = constants.REGION
        # Without moto's own list of images, which nothing here asks for: half a second of every start.
        images = settings.home / "images.json"
        images.write_text("[]")
        os.environ["MOTO_AMIS_PATH"] = str(images)
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        # It logs every failing state with the whole definition; the history tells the same, readably.
        logging.getLogger("moto.stepfunctions").setLevel(logging.CRITICAL)

        from . import quicker

        quicker.share_models()

        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

        from .control import api, boundary, guard
        from .stacks import iam

        quicker.install()
        aws = DomainDispatcherApplication(create_backend_app)
        self.boundary = boundary.Boundary(aws)
        application = api.Control(settings, self.boundary)
        self._listen(guard.Guard(application))
        clients.connect(settings.endpoint_url, application)
        self._correct()
        self._serve()
        iam.create_local_role()
        self.stack = self._deploy()
        # What is there by now stays: no collection looks at it again.
        gc.collect()
        gc.freeze()
        self.events.start()

    def _listen(self, application) -> None:
        from werkzeug.serving import make_server

        from .connections import Handler

        self._http = make_server("127.0.0.1", self.settings.port, application, threaded=True, request_handler=Handler)
        self._http.daemon_threads = True
        self.settings.port = self._http.server_port

    def _correct(self) -> None:
        from .services import cloudwatch, dms, dynamodb, elbv2, events, function_urls, route53, s3, schedules, ses, sns
        from .services.functions import Functions
        from .stacks import cloudformation, iam
        from .step_functions import api, engine, expressions, parsed

        self.functions = Functions(self.settings)
        self.functions.install()
        function_urls.install()
        self.boundary.runtime = self.functions.runtime
        self.events = events.Events(self.settings)
        expressions.install()
        engine.install(self.settings, self.functions.runtime)
        parsed.install()
        api.install(self.events.status_changed)
        route53.install(self.settings)
        elbv2.install(self.settings.speed)
        dms.install()
        dynamodb.install()
        cloudwatch.install(self.settings.speed)
        sns.install()
        s3.install(self.settings.speed)
        ses.install(self.settings.speed)
        schedules.install()
        cloudformation.install()
        iam.install(self.settings.iam)

    def _deploy(self) -> dict:
        from .stacks import deploy

        if self.settings.bare:
            return {"state_machines": {}, "journal_table": self.settings.journal_table, "functions": {}}
        return deploy.deploy_template(self.settings) if self.settings.template else deploy.deploy(self.settings)

    def _serve(self) -> None:
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    @property
    def ready(self) -> dict:
        return {
            "endpoint_url": self.settings.endpoint_url,
            "region": constants.REGION,
            "account_id": constants.ACCOUNT_ID,
            "home": str(self.settings.home),
            **self.stack,
        }

    def stop(self) -> None:
        self.events.stop()
        self.functions.runtime.stop()
