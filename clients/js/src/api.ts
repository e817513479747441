// The requests and answers that the browser client sees. Generated from the OpenAPI document: make generate.

export type paths = {
    "/oauth2/v1/revoke": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Revoke a refresh token */
        post: operations["revokeToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/oauth2/v1/token": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Get tokens */
        post: operations["createTokens"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/client/sign-ins": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Begin a flow */
        post: operations["signInBegin"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/client/sign-ins/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read a flow */
        get: operations["signInGet"];
        put?: never;
        post?: never;
        /** Give a flow up */
        delete: operations["signInAbandon"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/client/sign-ins/{id}/challenges": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Challenge a second factor */
        post: operations["signInChallenge"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/client/sign-ins/{id}/challenges/{cid}/answer": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Answer a challenge */
        post: operations["signInAnswer"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/client/sign-ins/{id}/challenges/{cid}/resend": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Send another code */
        post: operations["signInResend"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/client/sign-ins/{id}/enrolments": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Add a factor that is asked for */
        post: operations["signInEnrol"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/client/sign-ins/{id}/enrolments/{fid}/activate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Prove the new factor */
        post: operations["signInActivate"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/client/sign-ins/{id}/identifier": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Say who it is */
        post: operations["signInIdentify"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/client/sign-ins/{id}/passkey": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Prove or make a passkey */
        post: operations["signInPasskey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/client/sign-ins/{id}/passkey/options": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Ask for a passkey */
        post: operations["signInPasskeyOptions"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/client/sign-ins/{id}/password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Prove or choose a password */
        post: operations["signInPassword"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/client/sign-ins/{id}/recovery-code": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Prove a recovery code */
        post: operations["signInRecoveryCode"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/client/sign-ins/{id}/skip": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Put an enrolment off */
        post: operations["signInSkip"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read who you are */
        get: operations["getMe"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /** Change your name or language */
        patch: operations["updateMe"];
        trace?: never;
    };
    "/v1/me/devices": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read which devices are remembered */
        get: operations["listMyDevices"];
        put?: never;
        post?: never;
        /** Forget all devices */
        delete: operations["deleteMyDevices"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me/devices/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Forget a device */
        delete: operations["deleteMyDevice"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me/email": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Change your e-mail address */
        post: operations["changeMyEmail"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me/email/{cid}/answer": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Prove your new e-mail address */
        post: operations["answerMyEmail"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me/email/{cid}/resend": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Send another code to your new e-mail address */
        post: operations["resendMyEmail"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read what happened to your account */
        get: operations["listMyEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me/factors": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read your factors */
        get: operations["listMyFactors"];
        put?: never;
        /** Add a factor */
        post: operations["createMyFactor"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me/factors/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Remove a factor */
        delete: operations["deleteMyFactor"];
        options?: never;
        head?: never;
        /** Rename a factor */
        patch: operations["renameMyFactor"];
        trace?: never;
    };
    "/v1/me/factors/{id}/activate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Prove a factor */
        post: operations["activateMyFactor"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me/factors/{id}/challenges": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Send a code for a new factor */
        post: operations["challengeMyFactor"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me/password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Set another password */
        post: operations["setMyPassword"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me/phone": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Change your phone number */
        post: operations["changeMyPhone"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me/phone/{cid}/answer": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Prove your new phone number */
        post: operations["answerMyPhone"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me/phone/{cid}/resend": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Send another code to your new phone number */
        post: operations["resendMyPhone"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me/recovery-codes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Make recovery codes */
        post: operations["createMyRecoveryCodes"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read where you are signed in */
        get: operations["listMySessions"];
        put?: never;
        post?: never;
        /** Sign out everywhere else */
        delete: operations["deleteMySessions"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me/sessions/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** End one of your sessions */
        delete: operations["deleteMySession"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me/step-up": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read how you can prove who you are */
        get: operations["getStepUp"];
        put?: never;
        /** Prove who you are, again */
        post: operations["createStepUp"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me/step-up/{cid}/answer": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Answer a step-up */
        post: operations["answerStepUp"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me/step-up/{cid}/resend": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Send another code */
        post: operations["resendStepUp"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
};
export type webhooks = Record<string, never>;
export type components = {
    schemas: {
        Tokens: {
            /** @description A JWT of type `at+jwt` (RFC 9068) */
            access_token: string;
            /** @description Seconds until it ends */
            expires_in: number;
            /** @description When it ends, in seconds since 1970 */
            expires_on: number;
            /** @description A JWT that says who has signed in; with the scope `openid` */
            id_token?: string;
            /** @description When it was made, in seconds since 1970 */
            not_before: number;
            /** @description Gets the next tokens, once; with the scope `offline_access` */
            refresh_token?: string;
            /** @description Seconds until it ends */
            refresh_token_expires_in?: number;
            /** @description When it ends, in seconds since 1970 */
            refresh_token_expires_on?: number;
            /** @description What it is good for */
            scope?: string;
            /**
             * @description How it is sent
             * @enum {string}
             */
            token_type: "Bearer";
        };
        Flow: {
            /**
             * @description What the sign-in is worth, at `complete`
             * @enum {string}
             */
            acr?: "urn:postern:acr:aal1" | "urn:postern:acr:aal2" | "urn:postern:acr:aal2-phishing-resistant";
            /** @description What was proven, at `complete` (RFC 8176) */
            amr?: string[];
            /** @description The challenge that this call has made */
            challenge: {
                /** @description How many more wrong answers it takes */
                attempts_left: number;
                /**
                 * @description How its code goes; null where none is sent
                 * @enum {string|null}
                 */
                channel: "sms" | "voice" | "email" | null;
                /**
                 * Format: date-time
                 * @description When the newest code dies
                 */
                code_expires_at: string | null;
                /**
                 * Format: date-time
                 * @description When the challenge dies
                 */
                expires_at: string;
                /** @description The challenge's id */
                id: string;
                /** @description A passkey's options for `navigator.credentials`, shown this once */
                public_key?: Record<string, unknown>;
                /**
                 * Format: date-time
                 * @description When another code may be asked for; null: no more
                 */
                resend_at: string | null;
                /**
                 * @description Where it stands
                 * @enum {string}
                 */
                status: "pending" | "verified" | "failed" | "expired" | "canceled";
                /** @description Where its code goes, masked; null before a first factor is proven */
                to: string | null;
                /**
                 * @description The type of factor that it asks for
                 * @enum {string}
                 */
                type: "password" | "phone" | "email" | "totp" | "passkey" | "recovery_codes";
            } | null;
            /** @description The authorization code, at `complete`, shown this once */
            code?: string;
            /** @description The token of the device that is remembered from now on, shown this once */
            device?: string;
            /**
             * Format: date-time
             * @description When the flow is over
             */
            expires_at: string;
            /** @description The flow's id */
            id: string;
            /** @description What can be proven or enrolled now, the default first */
            options: {
                /** @description Which factor of the person */
                factor_id?: string;
                /** @description What the person calls it */
                name?: string | null;
                /**
                 * @description In which role it is offered
                 * @enum {string}
                 */
                role?: "factor" | "passkey" | "email_backup" | "recovery_code";
                /** @description Where its code goes, masked */
                to?: string | null;
                /**
                 * @description The type of factor
                 * @enum {string}
                 */
                type: "password" | "phone" | "email" | "totp" | "passkey" | "recovery_codes";
            }[];
            /** @description Why the policy asks for it */
            reason: {
                /**
                 * @description Why, as a stable code
                 * @enum {string}
                 */
                code: "first_factor_missing" | "required_factor" | "enrolled_factor" | "proof_before_enrolment" | "required_factor_missing" | "enrolment_enforced" | "enrolment_in_grace" | "nothing_required" | "factors_proven" | "passkey_verified_user" | "device_remembered" | "recovery_code_used" | "email_backup_used" | "mailbox_only" | "user_exempt" | "user_disabled" | "factor_unavailable" | "same_destination" | "enrolment_disabled";
                /** @description Why, as a sentence */
                detail: string;
            } | null;
            /** @description Where the code goes */
            redirect_uri: string | null;
            /** @description How the enrolment may be put off */
            skip: {
                /** @description How often; null: not bounded by a number */
                sign_ins_left: number | null;
                /**
                 * Format: date-time
                 * @description Until when; null: not bounded by time
                 */
                until: string | null;
            } | null;
            /**
             * @description What it wants next
             * @enum {string}
             */
            step: "needs_identifier" | "needs_first_factor" | "needs_verification" | "needs_second_factor" | "needs_enrolment" | "needs_new_password" | "complete" | "abandoned" | "blocked";
            /** @description The flow's token, shown when it begins and never again */
            token?: string;
            /**
             * @description What it is for
             * @enum {string}
             */
            type: "sign_up" | "sign_in" | "password_reset";
        };
        FlowChallenge: {
            /** @description How many more wrong answers it takes */
            attempts_left: number;
            /**
             * @description How its code goes; null where none is sent
             * @enum {string|null}
             */
            channel: "sms" | "voice" | "email" | null;
            /**
             * Format: date-time
             * @description When the newest code dies
             */
            code_expires_at: string | null;
            /**
             * Format: date-time
             * @description When the challenge dies
             */
            expires_at: string;
            /** @description The challenge's id */
            id: string;
            /** @description A passkey's options for `navigator.credentials`, shown this once */
            public_key?: Record<string, unknown>;
            /**
             * Format: date-time
             * @description When another code may be asked for; null: no more
             */
            resend_at: string | null;
            /**
             * @description Where it stands
             * @enum {string}
             */
            status: "pending" | "verified" | "failed" | "expired" | "canceled";
            /** @description Where its code goes, masked; null before a first factor is proven */
            to: string | null;
            /**
             * @description The type of factor that it asks for
             * @enum {string}
             */
            type: "password" | "phone" | "email" | "totp" | "passkey" | "recovery_codes";
        };
        Enrolment: {
            /** @description The challenge that proves it; null where nothing is left to prove */
            challenge: {
                /** @description Through which app */
                app_id: string | null;
                /** @description How many more wrong answers it takes */
                attempts_left: number;
                /**
                 * @description How its code goes; null where none is sent
                 * @enum {string|null}
                 */
                channel: "sms" | "voice" | "email" | null;
                /**
                 * Format: date-time
                 * @description When the newest code dies
                 */
                code_expires_at: string | null;
                /** @description How many recovery codes are left, in the answer to the one that was used */
                codes_left?: number;
                /**
                 * Format: date-time
                 * @description When it was used as a proof
                 */
                consumed_at: string | null;
                /**
                 * Format: date-time
                 * @description When it was made
                 */
                created_at: string;
                /** @description What the right answer has shown beyond the factor */
                evidence: {
                    /** @description Whether the passkey is backed up */
                    backed_up?: boolean;
                    /** @description Whether a passkey has verified who uses it: then it counts as two factors */
                    user_verified?: boolean;
                } | null;
                /**
                 * Format: date-time
                 * @description When the challenge dies
                 */
                expires_at: string;
                /** @description Which factor is asked */
                factor_id: string | null;
                /** @description The challenge's id */
                id: string;
                /** @description The newest message */
                message_id: string | null;
                /** @description A passkey's options for `navigator.credentials.get()`, shown this once */
                public_key?: Record<string, unknown>;
                /**
                 * @description What it is for
                 * @enum {string}
                 */
                purpose: "verification" | "sign_in" | "step_up" | "enrolment";
                /**
                 * Format: date-time
                 * @description When another code may be asked for; null: no more
                 */
                resend_at: string | null;
                /** @description How many codes were sent */
                sends: number;
                /**
                 * @description Where it stands
                 * @enum {string}
                 */
                status: "pending" | "verified" | "failed" | "expired" | "canceled";
                /**
                 * @description Where its code goes, masked
                 * @example +1••••••2671
                 */
                to: string | null;
                /**
                 * @description The type of factor that it asks for
                 * @enum {string}
                 */
                type: "password" | "phone" | "email" | "totp" | "passkey" | "recovery_codes";
                /** @description Whose factor is asked */
                user_id: string | null;
                /**
                 * Format: date-time
                 * @description When the right answer came
                 */
                verified_at: string | null;
            } | null;
            /** @description The factor, pending */
            factor: {
                /**
                 * Format: date-time
                 * @description When it was proven
                 */
                activated_at: string | null;
                /** @description Whether a passkey is backed up, as last seen */
                backed_up?: boolean | null;
                /** @description Whether a passkey may be backed up */
                backup_eligible?: boolean | null;
                /** @description How many recovery codes are left */
                codes_left?: number;
                /** @description A phone's country */
                country: string | null;
                /**
                 * Format: date-time
                 * @description When it was added
                 */
                created_at: string;
                /**
                 * @description A mailbox's address, masked
                 * @example a•••@e•••.com
                 */
                email: string | null;
                /** @description The factor's id */
                id: string;
                /**
                 * Format: date-time
                 * @description When it was last proven
                 */
                last_used_at: string | null;
                /** @description What the user calls it */
                name: string | null;
                /**
                 * @description A phone's number, masked
                 * @example +1••••••2671
                 */
                phone: string | null;
                /**
                 * @description `pending` until it is proven
                 * @enum {string}
                 */
                status: "pending" | "active";
                /** @description What an authenticator app was enrolled with */
                totp?: {
                    /**
                     * @description The hash
                     * @enum {string}
                     */
                    algorithm: "sha1" | "sha256" | "sha512";
                    /** @description How many digits a code has */
                    digits: number;
                    /** @description How many seconds a code is shown */
                    period: number;
                };
                /**
                 * @description Its type
                 * @enum {string}
                 */
                type: "password" | "phone" | "email" | "totp" | "passkey" | "recovery_codes";
            };
            /** @description A passkey's options for `navigator.credentials.create()`, shown this once */
            public_key?: Record<string, unknown>;
            /** @description The codes, shown this once; null when an earlier call with the same key made them */
            recovery_codes?: string[] | null;
            /** @description What goes into the app, shown this once; null when an earlier call with the same key made it */
            totp?: {
                /** @description The URI as a QR code, an SVG image */
                qr_svg: string | null;
                /**
                 * @description The secret in base 32, for whoever types it
                 * @example GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ
                 */
                secret: string;
                /** @description The same as a URI, for whoever opens the app on this device */
                uri: string;
            } | null;
        };
        Me: {
            /**
             * Format: date-time
             * @description When the account was made
             */
            created_at: string;
            /** @description Your address */
            email: string | null;
            /**
             * Format: date-time
             * @description When you proved that it is yours
             */
            email_verified_at: string | null;
            /** @description Your id: the `sub` of your tokens */
            id: string;
            /** @description Your language */
            locale: string | null;
            /** @description Your name */
            name: string | null;
            /** @description The number that you sign in with */
            phone: string | null;
            /**
             * Format: date-time
             * @description When you proved that it is yours
             */
            phone_verified_at: string | null;
            /**
             * Format: date-time
             * @description When it was changed
             */
            updated_at: string;
        };
        Device: {
            /** @description Where it was made, as your server told */
            country: string | null;
            /**
             * Format: date-time
             * @description When it was made
             */
            created_at: string;
            /**
             * Format: date-time
             * @description When it ends; a shorter setting ends it sooner
             */
            expires_at: string;
            /** @description The device's id */
            id: string;
            /**
             * Format: date-time
             * @description When it last came with a flow that was completed
             */
            last_used_at: string | null;
            /** @description What it is called */
            name: string | null;
            /** @description The browser or app, as your server told */
            user_agent: string | null;
        };
        MyEvent: {
            /**
             * @description You, signed in; your app's form; or the service
             * @enum {string}
             */
            by: "you" | "app" | "server";
            /** @description From which address; null where the service did it */
            client_ip: string | null;
            /**
             * Format: date-time
             * @description When
             */
            created_at: string;
            /** @description The event's id */
            id: string;
            /**
             * @description How it ended
             * @enum {string}
             */
            outcome: "success" | "refused" | "failed";
            /** @description The factor, session or device */
            subject_id: string | null;
            /**
             * @description What happened
             * @enum {string}
             */
            type: "challenge.created" | "challenge.resent" | "challenge.verified" | "challenge.answered_wrongly" | "challenge.canceled" | "challenge.consumed" | "factor.enrolment_started" | "factor.activated" | "factor.removed" | "factor.renamed" | "passkey.counter_regressed" | "notice.not_sent" | "user.created" | "user.updated" | "user.deleted" | "user.email_verified" | "user.email_changed" | "user.phone_changed" | "user.unlocked" | "user.disabled" | "user.enabled" | "user.mfa_changed" | "mfa.completed" | "device.created" | "device.removed" | "session.created" | "session.stepped_up" | "session.ended" | "app.created" | "app.updated" | "app.deleted" | "app.secret_rotated" | "invitation.created" | "invitation.deleted" | "api_key.created" | "api_key.revoked" | "signing_key.created" | "instance.updated" | "template.updated" | "sms.queued" | "sms.sent" | "sms.failed" | "sms.unknown" | "sms.dropped" | "callback.refused" | "sms.delivered" | "voice.queued" | "voice.sent" | "voice.failed" | "voice.unknown" | "voice.dropped" | "voice.delivered" | "email.queued" | "email.sent" | "email.failed" | "email.unknown" | "email.dropped" | "email.delivered" | "fraud.blocked" | "fraud.prefix_blocked" | "fraud.budget_exhausted" | "fraud.entry_created" | "fraud.entry_deleted" | "alert.firing" | "alert.resolved" | "webhook.endpoint_created" | "webhook.endpoint_updated" | "webhook.endpoint_deleted" | "webhook.endpoint_disabled" | "webhook.endpoint_secret_rotated";
            /** @description From which browser or app; null where the service did it */
            user_agent: string | null;
        };
        Factor: {
            /**
             * Format: date-time
             * @description When it was proven
             */
            activated_at: string | null;
            /** @description Whether a passkey is backed up, as last seen */
            backed_up?: boolean | null;
            /** @description Whether a passkey may be backed up */
            backup_eligible?: boolean | null;
            /** @description How many recovery codes are left */
            codes_left?: number;
            /** @description A phone's country */
            country: string | null;
            /**
             * Format: date-time
             * @description When it was added
             */
            created_at: string;
            /**
             * @description A mailbox's address, masked
             * @example a•••@e•••.com
             */
            email: string | null;
            /** @description The factor's id */
            id: string;
            /**
             * Format: date-time
             * @description When it was last proven
             */
            last_used_at: string | null;
            /** @description What the user calls it */
            name: string | null;
            /**
             * @description A phone's number, masked
             * @example +1••••••2671
             */
            phone: string | null;
            /**
             * @description `pending` until it is proven
             * @enum {string}
             */
            status: "pending" | "active";
            /** @description What an authenticator app was enrolled with */
            totp?: {
                /**
                 * @description The hash
                 * @enum {string}
                 */
                algorithm: "sha1" | "sha256" | "sha512";
                /** @description How many digits a code has */
                digits: number;
                /** @description How many seconds a code is shown */
                period: number;
            };
            /**
             * @description Its type
             * @enum {string}
             */
            type: "password" | "phone" | "email" | "totp" | "passkey" | "recovery_codes";
        };
        RecoveryCodes: {
            /** @description The set, active at once */
            factor: {
                /**
                 * Format: date-time
                 * @description When it was proven
                 */
                activated_at: string | null;
                /** @description Whether a passkey is backed up, as last seen */
                backed_up?: boolean | null;
                /** @description Whether a passkey may be backed up */
                backup_eligible?: boolean | null;
                /** @description How many recovery codes are left */
                codes_left?: number;
                /** @description A phone's country */
                country: string | null;
                /**
                 * Format: date-time
                 * @description When it was added
                 */
                created_at: string;
                /**
                 * @description A mailbox's address, masked
                 * @example a•••@e•••.com
                 */
                email: string | null;
                /** @description The factor's id */
                id: string;
                /**
                 * Format: date-time
                 * @description When it was last proven
                 */
                last_used_at: string | null;
                /** @description What the user calls it */
                name: string | null;
                /**
                 * @description A phone's number, masked
                 * @example +1••••••2671
                 */
                phone: string | null;
                /**
                 * @description `pending` until it is proven
                 * @enum {string}
                 */
                status: "pending" | "active";
                /** @description What an authenticator app was enrolled with */
                totp?: {
                    /**
                     * @description The hash
                     * @enum {string}
                     */
                    algorithm: "sha1" | "sha256" | "sha512";
                    /** @description How many digits a code has */
                    digits: number;
                    /** @description How many seconds a code is shown */
                    period: number;
                };
                /**
                 * @description Its type
                 * @enum {string}
                 */
                type: "password" | "phone" | "email" | "totp" | "passkey" | "recovery_codes";
            };
            /**
             * @description The codes, shown this once; null when an earlier call with the same key made them
             * @example [
             *       "7V2C-K9QX-4M0T-ZR8H"
             *     ]
             */
            recovery_codes: string[] | null;
        };
        MySession: {
            /**
             * @description What its sign-in is worth
             * @enum {string}
             */
            acr: "urn:postern:acr:aal1" | "urn:postern:acr:aal2" | "urn:postern:acr:aal2-phishing-resistant";
            /** @description What was proven (RFC 8176) */
            amr: string[];
            /** @description Through which app */
            app_id: string;
            /**
             * Format: date-time
             * @description When you last proved who you are
             */
            auth_time: string;
            /** @description Your address at the sign-in */
            client_ip: string | null;
            /**
             * Format: date-time
             * @description When it began
             */
            created_at: string;
            /** @description Whether it is the one that asks */
            current: boolean;
            /**
             * Format: date-time
             * @description When it ends in any case
             */
            ends_at: string;
            /**
             * Format: date-time
             * @description When it ends if nobody refreshes its tokens
             */
            expires_at: string;
            /** @description The session's id: the `sid` of its tokens */
            id: string;
            /**
             * Format: date-time
             * @description When tokens were last given out for it
             */
            last_used_at: string;
            /** @description Your browser or app */
            user_agent: string | null;
        };
        StepUp: {
            /** @description The new access token, once the policy is met; the refresh token stays */
            access_token?: string;
            /**
             * @description What the session is worth
             * @enum {string}
             */
            acr: "urn:postern:acr:aal1" | "urn:postern:acr:aal2" | "urn:postern:acr:aal2-phishing-resistant";
            /** @description What was proven in it (RFC 8176) */
            amr: string[];
            /**
             * Format: date-time
             * @description When you last proved who you are
             */
            auth_time: string;
            /** @description Seconds until it ends */
            expires_in?: number;
            /** @description When it ends, in seconds since 1970 */
            expires_on?: number;
            /** @description A JWT that says who has signed in; with the scope `openid` */
            id_token?: string;
            /** @description When it was made, in seconds since 1970 */
            not_before?: number;
            /** @description What can be proven, the default first */
            options: {
                /** @description Which factor */
                factor_id: string;
                /** @description What you call it */
                name: string | null;
                /**
                 * @description In which role it is offered
                 * @enum {string}
                 */
                role: "factor" | "passkey" | "email_backup" | "recovery_code";
                /** @description Where its code goes, masked */
                to: string | null;
                /**
                 * @description The type of factor; a `password` comes with the call
                 * @enum {string}
                 */
                type: "password" | "phone" | "email" | "totp" | "passkey" | "recovery_codes";
            }[];
            /** @description What it is good for */
            scope?: string;
            /**
             * @description How it is sent
             * @enum {string}
             */
            token_type?: "Bearer";
        };
        Problem: {
            /** @description How many more answers the challenge takes */
            attempts_left?: number;
            /**
             * @description Which of the closed list
             * @enum {string}
             */
            code: "request_malformed" | "idempotency_key_invalid" | "authentication_required" | "api_key_invalid" | "flow_token_invalid" | "origin_not_allowed" | "insufficient_user_authentication" | "access_token_invalid" | "sign_up_closed" | "signature_invalid" | "scope_missing" | "proof_required" | "proof_invalid" | "device_not_allowed" | "user_recovery_needed" | "route_not_found" | "resource_not_found" | "method_not_allowed" | "idempotency_key_in_use" | "form_identifier_exists" | "verification_already_verified" | "flow_step_mismatch" | "api_key_last" | "webhook_endpoint_limit" | "webhook_endpoint_disabled" | "request_too_large" | "content_type_unsupported" | "form_param_invalid" | "idempotency_key_reused" | "form_code_incorrect" | "form_password_incorrect" | "verification_expired" | "verification_failed" | "verification_canceled" | "resend_exhausted" | "strategy_not_supported" | "test_identifier_forbidden" | "message_refused" | "country_not_allowed" | "message_recipient_refused" | "message_blocked" | "bot_check_required" | "rate_limit_exceeded" | "user_locked" | "internal_error" | "message_driver_misconfigured" | "message_failed" | "bot_check_unavailable" | "configuration_invalid" | "sms_disabled" | "email_disabled" | "voice_disabled" | "database_unmigrated" | "database_unavailable";
            /** @description What happened here */
            detail: string;
            /** @description The fields that are wrong */
            errors?: {
                /** @enum {string} */
                code: "form_param_missing" | "form_param_unknown" | "form_param_duplicate" | "form_param_type_invalid" | "form_param_value_invalid" | "phone_number_invalid" | "email_address_invalid" | "password_too_short" | "password_common" | "password_context" | "password_breached";
                /** @description What is wanted */
                detail: string;
                /** @description The field's path */
                field?: string;
            }[];
            /** @description Where the verification of a passkey failed */
            failed_step?: string;
            /** @description The message that did not go out */
            message_id?: string;
            /** @description Seconds to wait */
            retry_after?: number;
            /** @description The HTTP status */
            status: number;
            /** @description What the code means */
            title: string;
            /** @description The request's id, as in `x-request-id` */
            trace_id: string;
            /** @description Where the code is explained */
            type: string;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
};
export type $defs = Record<string, never>;
export interface operations {
    revokeToken: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "token": "rt_7V2CK9QX4M0TZR8H7V2CK9QX4M0TZR8H7V2CK9QX4M0"
                 *     }
                 */
                "application/x-www-form-urlencoded": {
                    /**
                     * @description Which app; a code or a refresh token tells it too
                     * @example app_01M83WM7ZA000G40R40M30E209
                     */
                    client_id?: string;
                    /** @description Of a web or machine app, unless it comes by HTTP Basic */
                    client_secret?: string;
                    /**
                     * @description A refresh token, any of its session
                     * @example rt_7V2CK9QX4M0TZR8H7V2CK9QX4M0TZR8H7V2CK9QX4M0
                     */
                    token: string;
                    /** @description Not looked at */
                    token_type_hint?: string;
                };
            };
        };
        responses: {
            /** @description Revoke a refresh token */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    createTokens: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "grant_type": "refresh_token",
                 *       "refresh_token": "rt_7V2CK9QX4M0TZR8H7V2CK9QX4M0TZR8H7V2CK9QX4M0"
                 *     }
                 */
                "application/x-www-form-urlencoded": {
                    /**
                     * @description Which app; a code or a refresh token tells it too
                     * @example app_01M83WM7ZA000G40R40M30E209
                     */
                    client_id?: string;
                    /** @description Of a web or machine app, unless it comes by HTTP Basic */
                    client_secret?: string;
                    /** @description `authorization_code`: what the flow has ended in */
                    code?: string;
                    /** @description `authorization_code`: what the flow's `code_challenge` was made of */
                    code_verifier?: string;
                    /**
                     * @description `authorization_code`, `refresh_token`, or `client_credentials` (machine apps)
                     * @example refresh_token
                     */
                    grant_type: string;
                    /** @description `authorization_code`: the flow's, where it had one */
                    redirect_uri?: string;
                    /** @description `refresh_token`: the newest one */
                    refresh_token?: string;
                    /** @description `refresh_token`, `client_credentials`: less than all, separated by spaces */
                    scope?: string;
                };
            };
        };
        responses: {
            /** @description Get tokens */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tokens"];
                };
            };
        };
    };
    signInBegin: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "client_id": "app_01M83WM7ZA000G40R40M30E209",
                 *       "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
                 *       "code_challenge_method": "S256",
                 *       "scope": "openid offline_access"
                 *     }
                 */
                "application/json": {
                    /** @description What the page's Turnstile widget gave, where the instance asks for it */
                    bot_token?: string;
                    /** @description The app */
                    client_id: string;
                    /**
                     * @description PKCE (RFC 7636 §4.2): `BASE64URL(SHA256(code_verifier))`, 43 characters
                     * @example E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM
                     */
                    code_challenge: string;
                    /**
                     * @description How it was made; `plain` is not taken
                     * @enum {string}
                     */
                    code_challenge_method: "S256";
                    /** @description The token of a remembered device; one that is none counts as nothing. Sign-ins only */
                    device?: string;
                    /**
                     * @description Who it is: an e-mail address, or a phone number, as people type it
                     * @example ana@example.com
                     */
                    identifier?: string;
                    /** @description The token of an invitation. Sign-ups only */
                    invitation?: string;
                    /**
                     * @description The person's language (BCP 47); else the user's, the app's, the instance's. There are texts in en, es, fr, de, pt, zh, ja and ar, and in what you add to the templates
                     * @example en-US
                     */
                    locale?: string;
                    /** @description What the ID token repeats (OpenID Connect Core §3.1.2.1) */
                    nonce?: string;
                    /** @description Where your app wants the code, as registered; the exchange has to name it too */
                    redirect_uri?: string;
                    /**
                     * @description `openid`, `profile`, `email`, `phone`, `offline_access`; others are left out; default `openid`
                     * @example openid email offline_access
                     */
                    scope?: string;
                };
            };
        };
        responses: {
            /** @description Begin a flow */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Flow"];
                };
            };
        };
    };
    signInGet: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Read a flow */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Flow"];
                };
            };
        };
    };
    signInAbandon: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Give a flow up */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    signInChallenge: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                /**
                 * @example {
                 *       "channel": "sms",
                 *       "type": "phone"
                 *     }
                 */
                "application/json": {
                    /**
                     * @description How the code goes; `voice` calls; default: `sms` to a phone, `email` to an address
                     * @example sms
                     * @enum {string}
                     */
                    channel?: "sms" | "voice" | "email";
                    /** @description This one of the options */
                    factor_id?: string;
                    /**
                     * @description The first option of this type
                     * @enum {string}
                     */
                    type?: "phone" | "email" | "totp" | "passkey" | "recovery_codes";
                };
            };
        };
        responses: {
            /** @description Challenge a second factor */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FlowChallenge"];
                };
            };
        };
    };
    signInAnswer: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
                cid: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "code": "042137",
                 *       "remember_device": true
                 *     }
                 */
                "application/json": {
                    /**
                     * @description What the person typed
                     * @example 042137
                     */
                    code?: string;
                    /** @description Instead of a code: what the passkey gave, as the browser's `credential.toJSON()` writes it */
                    credential?: Record<string, unknown>;
                    /** @description Remember this device, where the policy allows it: the end gives its token */
                    remember_device?: boolean;
                };
            };
        };
        responses: {
            /** @description Answer a challenge */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Flow"];
                };
            };
        };
    };
    signInResend: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
                cid: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /**
                     * @description How the code goes; `voice` calls; default: `sms` to a phone, `email` to an address
                     * @example sms
                     * @enum {string}
                     */
                    channel?: "sms" | "voice" | "email";
                };
            };
        };
        responses: {
            /** @description Send another code */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FlowChallenge"];
                };
            };
        };
    };
    signInEnrol: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "type": "totp"
                 *     }
                 */
                "application/json": {
                    /**
                     * @description How the code goes; `voice` calls; default: `sms` to a phone, `email` to an address
                     * @example sms
                     * @enum {string}
                     */
                    channel?: "sms" | "voice" | "email";
                    /**
                     * @description An e-mail address as people type it
                     * @example ana@example.com
                     */
                    email?: string;
                    /**
                     * @description What the person calls it
                     * @example My phone
                     */
                    name?: string;
                    /**
                     * @description A number as people type it; without a calling code `SMS_COUNTRY_CODE` is taken
                     * @example +14155552671
                     */
                    phone?: string;
                    /**
                     * @description Which factor
                     * @enum {string}
                     */
                    type: "phone" | "email" | "totp" | "passkey";
                };
            };
        };
        responses: {
            /** @description Add a factor that is asked for */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Enrolment"];
                };
            };
        };
    };
    signInActivate: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
                fid: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "code": "042137"
                 *     }
                 */
                "application/json": {
                    /**
                     * @description What the person typed
                     * @example 042137
                     */
                    code?: string;
                    /** @description Instead of a code: what the passkey gave, as the browser's `credential.toJSON()` writes it */
                    credential?: Record<string, unknown>;
                    /** @description Remember this device, where the policy allows it: the end gives its token */
                    remember_device?: boolean;
                };
            };
        };
        responses: {
            /** @description Prove the new factor */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Flow"];
                };
            };
        };
    };
    signInIdentify: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "identifier": "ana@example.com"
                 *     }
                 */
                "application/json": {
                    /**
                     * @description Who it is: an e-mail address, or a phone number, as people type it
                     * @example ana@example.com
                     */
                    identifier: string;
                };
            };
        };
        responses: {
            /** @description Say who it is */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Flow"];
                };
            };
        };
    };
    signInPasskey: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "credential": {
                 *         "type": "public-key"
                 *       }
                 *     }
                 */
                "application/json": {
                    /** @description Instead of a code: what the passkey gave, as the browser's `credential.toJSON()` writes it */
                    credential: Record<string, unknown>;
                    /**
                     * @description What the person calls a new one
                     * @example My laptop
                     */
                    name?: string;
                };
            };
        };
        responses: {
            /** @description Prove or make a passkey */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Flow"];
                };
            };
        };
    };
    signInPasskeyOptions: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Ask for a passkey */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FlowChallenge"];
                };
            };
        };
    };
    signInPassword: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "password": "lilac-otter-walks-at-dawn"
                 *     }
                 */
                "application/json": {
                    /**
                     * @description Who it is: an e-mail address, or a phone number, as people type it
                     * @example ana@example.com
                     */
                    identifier?: string;
                    /**
                     * @description What the person typed, as it is; 256 characters after NFKC at most
                     * @example lilac-otter-walks-at-dawn
                     */
                    password: string;
                };
            };
        };
        responses: {
            /** @description Prove or choose a password */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Flow"];
                };
            };
        };
    };
    signInRecoveryCode: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "code": "7V2C-K9QX-4M0T-ZR8H"
                 *     }
                 */
                "application/json": {
                    /** @description One of the person's recovery codes */
                    code: string;
                };
            };
        };
        responses: {
            /** @description Prove a recovery code */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Flow"];
                };
            };
        };
    };
    signInSkip: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Put an enrolment off */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Flow"];
                };
            };
        };
    };
    getMe: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Read who you are */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Me"];
                };
            };
        };
    };
    updateMe: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "Ana"
                 *     }
                 */
                "application/json": {
                    /**
                     * @description Your language
                     * @example en-US
                     */
                    locale?: string | null;
                    /**
                     * @description Your name
                     * @example Ana
                     */
                    name?: string | null;
                };
            };
        };
        responses: {
            /** @description Change your name or language */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Me"];
                };
            };
        };
    };
    listMyDevices: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Read which devices are remembered */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["Device"][];
                        /** @description Pass it as `cursor` for the next page; null at the end */
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    deleteMyDevices: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Forget all devices */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    deleteMyDevice: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Forget a device */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    changeMyEmail: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "email": "ana@example.com"
                 *     }
                 */
                "application/json": {
                    /**
                     * @description An e-mail address as people type it
                     * @example ana@example.com
                     */
                    email: string;
                    /**
                     * @description The person's language (BCP 47); else the user's, the app's, the instance's. There are texts in en, es, fr, de, pt, zh, ja and ar, and in what you add to the templates
                     * @example en-US
                     */
                    locale?: string;
                };
            };
        };
        responses: {
            /** @description Change your e-mail address */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FlowChallenge"];
                };
            };
        };
    };
    answerMyEmail: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                cid: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "code": "042137"
                 *     }
                 */
                "application/json": {
                    /**
                     * @description What you got
                     * @example 042137
                     */
                    code: string;
                    /**
                     * @description Also sign out everywhere else; default: no
                     * @example true
                     */
                    end_other_sessions?: boolean;
                };
            };
        };
        responses: {
            /** @description Prove your new e-mail address */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Me"];
                };
            };
        };
    };
    resendMyEmail: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                cid: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /**
                     * @description How the code goes; `voice` calls; default: `sms` to a phone, `email` to an address
                     * @example sms
                     * @enum {string}
                     */
                    channel?: "sms" | "voice" | "email";
                };
            };
        };
        responses: {
            /** @description Send another code to your new e-mail address */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FlowChallenge"];
                };
            };
        };
    };
    listMyEvents: {
        parameters: {
            query?: {
                /** @description How many; default 20 */
                limit?: number;
                /** @description `next_cursor` of the page before */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Read what happened to your account */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["MyEvent"][];
                        /** @description Pass it as `cursor` for the next page; null at the end */
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    listMyFactors: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Read your factors */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["Factor"][];
                        /** @description Pass it as `cursor` for the next page; null at the end */
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    createMyFactor: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "My phone",
                 *       "type": "totp"
                 *     }
                 */
                "application/json": {
                    /**
                     * @description How the code goes; `voice` calls; default: `sms` to a phone, `email` to an address
                     * @example sms
                     * @enum {string}
                     */
                    channel?: "sms" | "voice" | "email";
                    /**
                     * @description An e-mail address as people type it
                     * @example ana@example.com
                     */
                    email?: string;
                    /**
                     * @description The person's language (BCP 47); else the user's, the app's, the instance's. There are texts in en, es, fr, de, pt, zh, ja and ar, and in what you add to the templates
                     * @example en-US
                     */
                    locale?: string;
                    /**
                     * @description What you call it
                     * @example My laptop
                     */
                    name?: string;
                    /**
                     * @description A number as people type it; without a calling code `SMS_COUNTRY_CODE` is taken
                     * @example +14155552671
                     */
                    phone?: string;
                    /**
                     * @description The kind
                     * @enum {string}
                     */
                    type: "phone" | "email" | "totp" | "passkey";
                };
            };
        };
        responses: {
            /** @description Add a factor */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Enrolment"];
                };
            };
        };
    };
    deleteMyFactor: {
        parameters: {
            query?: {
                /** @description Also sign out everywhere else; default: no */
                end_other_sessions?: boolean;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Remove a factor */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    renameMyFactor: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "My laptop"
                 *     }
                 */
                "application/json": {
                    /**
                     * @description What you call it
                     * @example My laptop
                     */
                    name?: string | null;
                };
            };
        };
        responses: {
            /** @description Rename a factor */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Factor"];
                };
            };
        };
    };
    activateMyFactor: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "code": "042137"
                 *     }
                 */
                "application/json": {
                    /** @description The challenge; without it the factor's newest in this session */
                    challenge_id?: string;
                    /**
                     * @description What you got, or read
                     * @example 042137
                     */
                    code?: string;
                    /** @description Instead of a code: what the passkey gave, as the browser's `credential.toJSON()` writes it */
                    credential?: Record<string, unknown>;
                    /**
                     * @description Also sign out everywhere else; default: no
                     * @example true
                     */
                    end_other_sessions?: boolean;
                };
            };
        };
        responses: {
            /** @description Prove a factor */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Factor"];
                };
            };
        };
    };
    challengeMyFactor: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /**
                     * @description How the code goes; `voice` calls; default: `sms` to a phone, `email` to an address
                     * @example sms
                     * @enum {string}
                     */
                    channel?: "sms" | "voice" | "email";
                    /**
                     * @description The person's language (BCP 47); else the user's, the app's, the instance's. There are texts in en, es, fr, de, pt, zh, ja and ar, and in what you add to the templates
                     * @example en-US
                     */
                    locale?: string;
                };
            };
        };
        responses: {
            /** @description Send a code for a new factor */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FlowChallenge"];
                };
            };
        };
    };
    setMyPassword: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "password": "lilac-otter-walks-at-dawn"
                 *     }
                 */
                "application/json": {
                    /**
                     * @description What the person typed, as it is; 256 characters after NFKC at most
                     * @example lilac-otter-walks-at-dawn
                     */
                    password: string;
                };
            };
        };
        responses: {
            /** @description Set another password */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    changeMyPhone: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "phone": "+14155552671"
                 *     }
                 */
                "application/json": {
                    /**
                     * @description How the code goes; `voice` calls; default: `sms` to a phone, `email` to an address
                     * @example sms
                     * @enum {string}
                     */
                    channel?: "sms" | "voice" | "email";
                    /**
                     * @description The person's language (BCP 47); else the user's, the app's, the instance's. There are texts in en, es, fr, de, pt, zh, ja and ar, and in what you add to the templates
                     * @example en-US
                     */
                    locale?: string;
                    /**
                     * @description A number as people type it; without a calling code `SMS_COUNTRY_CODE` is taken
                     * @example +14155552671
                     */
                    phone: string;
                };
            };
        };
        responses: {
            /** @description Change your phone number */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FlowChallenge"];
                };
            };
        };
    };
    answerMyPhone: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                cid: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "code": "042137"
                 *     }
                 */
                "application/json": {
                    /**
                     * @description What you got
                     * @example 042137
                     */
                    code: string;
                    /**
                     * @description Also sign out everywhere else; default: no
                     * @example true
                     */
                    end_other_sessions?: boolean;
                };
            };
        };
        responses: {
            /** @description Prove your new phone number */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Me"];
                };
            };
        };
    };
    resendMyPhone: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                cid: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /**
                     * @description How the code goes; `voice` calls; default: `sms` to a phone, `email` to an address
                     * @example sms
                     * @enum {string}
                     */
                    channel?: "sms" | "voice" | "email";
                };
            };
        };
        responses: {
            /** @description Send another code to your new phone number */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FlowChallenge"];
                };
            };
        };
    };
    createMyRecoveryCodes: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /**
                     * @description Also sign out everywhere else; default: no
                     * @example true
                     */
                    end_other_sessions?: boolean;
                };
            };
        };
        responses: {
            /** @description Make recovery codes */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RecoveryCodes"];
                };
            };
        };
    };
    listMySessions: {
        parameters: {
            query?: {
                /** @description How many; default 20 */
                limit?: number;
                /** @description `next_cursor` of the page before */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Read where you are signed in */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["MySession"][];
                        /** @description Pass it as `cursor` for the next page; null at the end */
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    deleteMySessions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Sign out everywhere else */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    deleteMySession: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description End one of your sessions */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    getStepUp: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Read how you can prove who you are */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StepUp"];
                };
            };
        };
    };
    createStepUp: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                /**
                 * @example {
                 *       "channel": "sms",
                 *       "type": "phone"
                 *     }
                 */
                "application/json": {
                    /**
                     * @description How the code goes; `voice` calls; default: `sms` to a phone, `email` to an address
                     * @example sms
                     * @enum {string}
                     */
                    channel?: "sms" | "voice" | "email";
                    /** @description This one of the options */
                    factor_id?: string;
                    /**
                     * @description The person's language (BCP 47); else the user's, the app's, the instance's. There are texts in en, es, fr, de, pt, zh, ja and ar, and in what you add to the templates
                     * @example en-US
                     */
                    locale?: string;
                    /**
                     * @description Instead: your password, where that is an option; nothing else is needed then
                     * @example lilac-otter-walks-at-dawn
                     */
                    password?: string;
                    /**
                     * @description The first option of this type; with nothing named the first of all
                     * @enum {string}
                     */
                    type?: "phone" | "email" | "totp" | "passkey" | "recovery_codes";
                };
            };
        };
        responses: {
            /** @description Prove who you are, again */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StepUp"];
                };
            };
            /** @description Prove who you are, again */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FlowChallenge"];
                };
            };
        };
    };
    answerStepUp: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                cid: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "code": "042137"
                 *     }
                 */
                "application/json": {
                    /**
                     * @description What you got, or read
                     * @example 042137
                     */
                    code?: string;
                    /** @description Instead of a code: what the passkey gave, as the browser's `credential.toJSON()` writes it */
                    credential?: Record<string, unknown>;
                };
            };
        };
        responses: {
            /** @description Answer a step-up */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StepUp"];
                };
            };
        };
    };
    resendStepUp: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                cid: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /**
                     * @description How the code goes; `voice` calls; default: `sms` to a phone, `email` to an address
                     * @example sms
                     * @enum {string}
                     */
                    channel?: "sms" | "voice" | "email";
                };
            };
        };
        responses: {
            /** @description Send another code */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FlowChallenge"];
                };
            };
        };
    };
}
